"""`python -m pipelines models …`: what operators see of the published versions."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.artifact.repository import Repository
from pipelines.cli.commands import app
from tests.core.artifact.builders import publish
from tests.core.artifact.trials import failed_trial


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with two versions."""
    repository = Repository(str(tmp_path / "models"), writable=True)
    for seed in (1, 2):
        publish(repository, seed)
    return tmp_path / "models"


def test_verify_says_of_each_version_whether_it_is_as_published(folder: Path) -> None:
    command = ["models", "verify", "--repository", str(folder)]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stderr) == (0, "version 1: sound\nversion 2: sound\n")
    (folder / "mnist/2/report.html").write_text("<p>another report</p>")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "version 1: sound\nversion 2: mnist/2/report.html: " in done.stderr
    found = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [row["version"] for row in found if row["damage"]] == [2]


def test_a_damaged_version_is_listed_beside_the_sound_ones(folder: Path) -> None:
    manifest = folder / "mnist/1/manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"3"', b'"2"'))
    command = ["models", "list", "--repository", str(folder)]
    rows = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [(row["version"], row["recipe"]) for row in rows] == [(1, None), (2, "tiny")]
    assert [bool(row["damage"]) for row in rows] == [True, False]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert "damaged" in done.stdout
    assert "mnist/1/manifest.json: the document: its digest does not match" in done.stderr


def test_show_prints_the_result_of_a_trial_below_the_card(folder: Path) -> None:
    command = ["models", "show", "1", "--repository", str(folder)]
    assert "Trial" not in CliRunner().invoke(app, command).stdout
    Repository(str(folder), writable=True).record_trial(failed_trial(1))
    shown = CliRunner().invoke(app, command).stdout
    assert shown.startswith("# A card")
    assert "On 2026-01-02 at 03:04 UTC, the trial of version 1 by a service failed: start: refused, expected" in shown
    manifest = (folder / "mnist/1/manifest.json").read_text("utf-8")
    assert CliRunner().invoke(app, [*command, "--json"]).stdout.rstrip("\n") == manifest
