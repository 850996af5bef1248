"""`python -m pipelines models …`: what operators see of the published versions."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import Repository
from pipelines.cli.commands import app
from pipelines.versions.checked import remembered
from tests.core.artifact.builders import claim, publish
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


def test_what_a_list_remembers_lies_in_the_folder_of_the_setting_and_verify_checks_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_CACHE_DIR", str(tmp_path / "cache"))
    manifest = folder / "mnist/1/manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"3"', b'"2"'))
    with remembered(tmp_path / "cache") as known:  # as if somebody had tampered with it
        known.add(hashlib.sha256(manifest.read_bytes()).digest())
    assert [row["damage"] for row in json.loads(models(folder, "list", "--json").stdout)] == [None, None]
    assert "digest does not match" in models(folder, "verify").stderr
    monkeypatch.setenv("NUMERAL_CACHE_DIR", "off")
    assert [bool(row["damage"]) for row in json.loads(models(folder, "list", "--json").stdout)] == [True, False]


def models(folder: Path, *command: str) -> Result:
    return CliRunner().invoke(app, ["models", *command, "--repository", str(folder)])


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def test_a_damaged_version_is_not_promoted_and_the_error_is_one_sentence(folder: Path) -> None:
    truncate(folder / "mnist/2/weights.safetensors")
    done = models(folder, "promote", "2")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: mnist/2/weights.safetensors: ")
    assert done.stderr.count("\n") == 1
    assert not (folder / "mnist/aliases").exists()


def test_a_rollback_does_not_lead_to_a_damaged_version(folder: Path) -> None:
    for version in ("1", "2"):
        assert models(folder, "promote", version).exit_code == 0
    truncate(folder / "mnist/1/weights.safetensors")
    done = models(folder, "rollback")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: mnist/1/weights.safetensors: ")
    assert Repository(str(folder)).champion() == 2


def test_the_list_marks_rejected_damaged_dangling_and_claimed_numbers(folder: Path) -> None:
    store = Repository(str(folder), writable=True)
    worse = Verdict(promote=False, reason="worse", parent=1)
    draft, manifest = claim(store, 3)
    draft.publish(manifest.model_copy(update={"verdict": worse}))
    store.claim(b"not yet published")
    truncate(folder / "mnist/1/manifest.json")
    store.alias("canary").promote(9, by="a test", why="a slip")
    rows = json.loads(models(folder, "list", "--json").stdout)
    assert [(row["version"], row["state"]) for row in rows] == [
        (1, "damaged"), (2, "sound"), (3, "rejected"), (9, "dangling"),
    ]  # fmt: skip
    assert rows[3]["aliases"] == ["canary"]
    assert {"version", "aliases", "created", "recipe", "test_accuracy", "weights_sha256", "damage"} <= rows[0].keys()
    done = models(folder, "list")
    for word in ("damaged", "rejected", "dangling"):
        assert word in done.stdout
    assert "claimed, and not published (yet): 4" in done.stderr


def test_what_is_known_of_a_damaged_version_is_shown(folder: Path) -> None:
    models(folder, "promote", "2")
    truncate(folder / "mnist/2/manifest.json")
    done = models(folder, "show", "2")
    assert done.exit_code == 1
    assert "version 2, damaged; aliases: champion; files: card.md (8 bytes), manifest.json (" in done.stderr
    assert "error: mnist/2/manifest.json: " in done.stderr


@pytest.mark.parametrize(
    ("place", "finding"),
    [("missing", "does not exist yet; publish a version with"), ("file", "there is a file in its place")],
)
def test_a_place_without_a_repository_is_told_from_an_empty_one(tmp_path: Path, place: str, finding: str) -> None:
    (tmp_path / "file").write_text("")
    done = models(tmp_path / place, "list")
    assert done.exit_code == (place == "file")
    assert finding in done.stderr
    (tmp_path / "empty").mkdir()
    assert "holds no version yet" in models(tmp_path / "empty", "list").stderr


def test_verify_finds_aliases_that_point_to_nothing(folder: Path) -> None:
    Repository(str(folder)).alias().promote(9, by="a test", why="a slip")
    done = models(folder, "verify")
    assert done.exit_code == 1
    assert "alias champion: points to version 9, which does not exist" in done.stderr
    rows = json.loads(models(folder, "verify", "--json").stdout)
    assert [(row["version"], row["alias"], bool(row["damage"])) for row in rows] == [
        (1, None, False), (2, None, False), (None, "champion", True),
    ]  # fmt: skip


def test_verify_has_a_row_for_each_finding(folder: Path) -> None:
    for filename in ("report.html", "card.md"):
        (folder / "mnist/1" / filename).write_text("another")
    rows = json.loads(models(folder, "verify", "--json").stdout)
    assert [row["version"] for row in rows] == [1, 1, 2]
    assert sorted(row["damage"].split(":")[0] for row in rows[:2]) == ["mnist/1/card.md", "mnist/1/report.html"]
    assert models(folder, "verify").stderr.count("version 1: ") == 2


def test_verify_says_nothing_of_versions_that_come_or_go_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Repository.manifest

    def meanwhile(self: Repository, version: int) -> Manifest:
        monkeypatch.setattr(Repository, "manifest", manifest)
        other = Repository(str(folder), writable=True)
        publish(other, 3)
        assert other.prune(keep=2) == [1]
        return manifest(self, version)

    monkeypatch.setattr(Repository, "manifest", meanwhile)
    done = models(folder, "verify")
    assert (done.exit_code, done.stderr) == (0, "version 2: sound\n")


def test_verify_finds_a_folder_of_aliases_that_leads_to_nothing(folder: Path) -> None:
    (folder / "mnist/aliases").symlink_to("nowhere")
    done = models(folder, "verify")
    assert done.exit_code == 1
    assert "version 2: sound\nthe aliases: mnist/aliases: a link to nothing; remove it\n" in done.stderr


def test_repair_says_what_it_would_do_and_does_it_when_told(folder: Path) -> None:
    for version in ("1", "2"):
        models(folder, "promote", version)
    truncate(folder / "mnist/2/weights.safetensors")
    done = models(folder, "repair")
    assert done.exit_code == 0
    assert "with --yes: set the version aside" in done.stderr
    assert "with --yes: move it back to version 1" in done.stderr
    assert Repository(str(folder)).champion() == 2
    done = models(folder, "repair", "--yes")
    assert done.exit_code == 0
    assert "done: move it back to version 1" in done.stderr
    assert models(folder, "verify").exit_code == 0
    assert Repository(str(folder)).champion() == 1


def test_repair_ends_with_1_if_something_is_left_for_a_person(folder: Path) -> None:
    truncate(folder / "mnist/1/report.html")
    done = models(folder, "repair", "--yes")
    assert done.exit_code == 1
    assert "by hand: restore report.html from a backup" in done.stderr


def test_prune_says_what_killed_publishers_have_left(folder: Path) -> None:
    left = folder / "mnist/1/card.md#12"
    left.write_bytes(b"half")
    for command in ("list", "verify", "repair"):
        assert "being written, or left by a killed writer: 1 files, 4 bytes" in models(folder, command).stderr
    os.utime(left, (0, 0))
    assert "deleted 1 unfinished files, 4 bytes" in models(folder, "prune").stderr


def test_show_prints_the_result_of_a_trial_below_the_card(folder: Path) -> None:
    command = ["models", "show", "1", "--repository", str(folder)]
    assert "Trial" not in CliRunner().invoke(app, command).stdout
    Repository(str(folder), writable=True).record_trial(failed_trial(1))
    shown = CliRunner().invoke(app, command).stdout
    assert shown.startswith("# A card")
    assert "On 2026-01-02 at 03:04 UTC, the trial of version 1 by a service failed: start: refused, expected" in shown
    manifest = (folder / "mnist/1/manifest.json").read_text("utf-8")
    assert CliRunner().invoke(app, [*command, "--json"]).stdout.rstrip("\n") == manifest
