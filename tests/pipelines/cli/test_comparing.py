"""`models diff|compare|lineage` and `reproduce`, as people call them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.artifact.repository import Repository
from core.shipped import ROOT
from pipelines.cli.commands import app

SMALL = ["train.epochs=1", "model.layers.0.units=8", "promotion.min_accuracy=0.3", "promotion.min_digit_accuracy=0"]
OPTIONS = ["--engine", "plain", "--infra-gate", "off", *(word for one in SMALL for word in ("--set", one))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two versions of real MNIST, which differ in their seed."""
    folder = tmp_path_factory.mktemp("compared")
    for seed in ("1", "2"):
        done = run(folder, "retrain", *OPTIONS, "--set", f"train.seed={seed}", data=True)
        assert done.exit_code in (0, 3), done.output
    return folder


def run(folder: Path, *command: str, data: bool = False) -> Result:
    places = ["--repository", str(folder / "models")]
    if data:
        places += ["--data-dir", str(folder / "data"), "--mirror", (ROOT / "data/mnist").as_uri()]
    return CliRunner().invoke(app, [*command, *places])


def test_diff_lists_what_changed_for_people_and_as_json(folder: Path) -> None:
    done = run(folder, "models", "diff", "1", "2")
    assert done.exit_code == 0
    assert "recipe:\n  train.seed: 1 → 2\n" in done.stderr
    rows = json.loads(run(folder, "models", "diff", "1", "2", "--json").stdout)
    assert {"part": "recipe", "key": "train.seed", "before": "1", "after": "2"} in rows
    assert "do not differ" in run(folder, "models", "diff", "2", "2").stderr


def test_compare_writes_a_page_and_says_who_reads_more(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run(folder, "models", "compare", "1", "2", "--output", str(page), "--json", data=True)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [one["version"] for one in found["versions"]] == [1, 2]
    assert found["images"] == 10_000
    assert found["page"] == str(page)
    first, second = found["versions"]
    difference = round(10_000 * (second["test_accuracy"] - first["test_accuracy"]))
    assert second["gained"] - second["lost"] == difference
    assert "What changed" in page.read_text("utf-8")


def test_compare_wants_two_different_versions(folder: Path) -> None:
    done = run(folder, "models", "compare", "1", "1", data=True)
    assert done.exit_code == 1
    assert done.stderr == "error: compare: found 1 1, expected two different versions or more\n"
    done = run(folder, "models", "compare", "1", "9", data=True)
    assert "mnist has no version 9; known: 1, 2" in done.stderr


def test_compare_refuses_a_version_that_may_have_seen_the_test_images(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "models", tmp_path / "models")
    manifest = Repository(str(tmp_path / "models")).manifest(2)
    name = next(iter(manifest.data.files))
    data = manifest.data.model_copy(update={"files": manifest.data.files | {name: "0" * 64}})
    (tmp_path / "models/mnist/2/manifest.json").write_bytes(manifest.model_copy(update={"data": data}).encode())
    page = tmp_path / "page.html"
    done = run(tmp_path, "models", "compare", "1", "2", "--output", str(page), data=True)
    assert done.exit_code == 1
    assert f"error: version 2 was trained on other files than these: {name}; these test images may" in done.stderr
    assert not page.exists()


def test_lineage_follows_the_champion_unless_told_otherwise(folder: Path) -> None:
    line = json.loads(run(folder, "models", "lineage", "2", "--json").stdout)
    assert [one["version"] for one in line] == [2, 1]
    assert "version 1: mlp, " in run(folder, "models", "lineage", "2").stderr
    assert json.loads(run(folder, "models", "lineage", "--json").stdout)[-1]["version"] == 1


def test_reproduce_says_that_the_weights_are_identical(folder: Path) -> None:
    done = run(folder, "reproduce", "2", "--json", data=True)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["identical"]
    assert "error: mnist has no version 9" in run(folder, "reproduce", "9", data=True).stderr


def test_the_list_shows_the_newest_and_says_how_many_are_older(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.cli.models.LISTED", 1)
    run(folder, "models", "promote", "2")
    done = run(folder, "models", "list")
    assert "1 older versions are not shown; see them with --last 2" in done.stderr
    assert len(json.loads(run(folder, "models", "list", "--json").stdout)) == 2
    assert len(json.loads(run(folder, "models", "list", "--json", "--last", "1").stdout)) == 1
