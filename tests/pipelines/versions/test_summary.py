"""What a list says of each version."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.artifact.repository import Repository
from pipelines.versions.summary import rows
from tests.core.artifact.builders import publish
from tests.core.artifact.trials import failed_trial


@pytest.fixture
def store(tmp_path: Path) -> Repository:
    """Three versions."""
    repository = Repository(str(tmp_path / "models"), writable=True)
    for seed in (1, 2, 3):
        publish(repository, seed)
    return repository


def test_the_listed_fields_are_those_of_the_manifest(store: Repository) -> None:
    manifest = store.manifest(2)
    (row,) = [row for row in rows(store, store.snapshot()) if row["version"] == 2]
    assert row["created"] == manifest.created.isoformat()
    assert row["recipe"] == manifest.recipe_name
    assert row["test_accuracy"] == manifest.test.accuracy
    assert row["verdict"] == manifest.verdict.model_dump(include={"promote", "reason", "parent", "consulted"})
    assert row["weights_sha256"] == manifest.files["weights.safetensors"].sha256


def test_only_the_newest_and_those_that_an_alias_names_are_read_if_asked(store: Repository, tmp_path: Path) -> None:
    store.promote(1, by="a test", why="the first")
    (tmp_path / "models/mnist/2/manifest.json").write_text("read by nobody")
    assert [(row["version"], row["state"]) for row in rows(store, store.snapshot(), last=1)] == [
        (1, "sound"),
        (3, "sound"),
    ]


def test_a_version_that_failed_its_trial_is_listed_as_rejected(store: Repository) -> None:
    store.record_trial(failed_trial(2))
    assert [row["state"] for row in rows(store, store.snapshot())] == ["sound", "rejected", "sound"]


def test_a_failed_trial_is_seen_of_a_version_that_the_listing_has_missed(store: Repository) -> None:
    store.promote(2, by="a test", why="an alias names it")
    store.record_trial(failed_trial(2))
    missed = replace(store.snapshot(), versions=(1, 3), tried=frozenset())
    assert [row["state"] for row in rows(store, missed)] == ["sound", "rejected", "sound"]


def test_a_copied_folder_is_listed_as_damaged(store: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "models/mnist"
    (folder / "3/manifest.json").write_bytes((folder / "2/manifest.json").read_bytes())
    assert "was the folder copied?" in rows(store, store.snapshot())[2]["damage"]
