"""What is found to be wrong with a repository, and what is there after it was repaired."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifact.aside import SET_ASIDE
from core.artifact.finding import Finding
from core.artifact.manifest import MANIFEST, WEIGHTS
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.artifact.sealed import sealed
from core.artifact.trial import TRIAL
from core.errors import AliasMovedError, VersionNotFoundError

from .builders import publish
from .forbidden import forbid
from .trials import failed_trial


@pytest.fixture
def three(on_disk: Repository) -> Repository:
    """Versions 1 to 3, of which 1 and then 2 were champion."""
    for seed in range(3):
        publish(on_disk, seed)
    for version in (1, 2):
        on_disk.promote(version, by="a test", why="it says so")
    return on_disk


def examine(repository: Repository) -> list[Finding]:
    return list(repository.examine(by="a test"))


def repair(repository: Repository) -> list[str]:
    """Repair what can be, and name it."""
    found = [finding for finding in examine(repository) if finding.repair]
    for finding in found:
        assert finding.repair
        finding.repair()
    return [finding.name for finding in found]


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def test_in_a_sound_repository_nothing_is_found(three: Repository) -> None:
    three.claim(b"claimed and not yet published")
    assert examine(three) == []


@pytest.mark.parametrize("tear", [lambda file: file.write_text("{"), lambda file: file.write_bytes(b""), Path.mkdir])
def test_a_log_whose_newest_moves_are_torn_gets_a_move_that_says_the_last_sound_one_again(
    three: Repository, folder: Path, tear: Callable[[Path], object]
) -> None:
    for number in (3, 4):
        tear(folder / f"mnist/aliases/champion/00000{number}.json")
    [finding] = examine(three)
    assert finding.name == "alias champion"
    assert finding.fault.startswith(("mnist/aliases/champion/000003.json: ", "mnist/aliases/champion/000004.json: "))
    assert repair(three) == ["alias champion"]
    assert (three.champion(), three.alias().last_sound(), examine(three)) == (2, 5, [])
    assert three.rollback(by="a test", why="2 was bad").version == 1


def test_an_alias_that_points_to_a_version_that_is_gone_is_moved_back_to_a_sound_one(
    three: Repository, folder: Path
) -> None:
    (folder / "mnist/2" / MANIFEST).unlink()
    [finding] = examine(three)
    assert (finding.alias, finding.fault) == ("champion", "points to version 2, which does not exist")
    assert repair(three) == ["alias champion"]
    assert three.champion() == 1


@pytest.mark.parametrize("filename", [WEIGHTS, MANIFEST])
def test_a_damaged_champion_is_set_aside_and_the_one_before_takes_its_place(
    three: Repository, folder: Path, filename: str
) -> None:
    file = folder / "mnist/2" / filename
    truncate(file)
    manifest = (folder / "mnist/2" / MANIFEST).read_bytes()
    assert repair(three) == ["version 2", "alias champion"]
    assert (three.versions(), three.champion(), examine(three)) == ([1, 3], 1, [])
    assert (folder / "mnist/2" / f"{MANIFEST}{SET_ASIDE}").read_bytes() == manifest
    (folder / "mnist/2" / f"{MANIFEST}{SET_ASIDE}").rename(folder / "mnist/2" / MANIFEST)
    assert three.versions() == [1, 2, 3]
    assert publish(three).version == 4


def test_a_damaged_record_of_a_trial_is_set_aside_and_the_version_stays(three: Repository, folder: Path) -> None:
    three.record_trial(failed_trial(3))
    truncate(folder / "mnist/3" / TRIAL)
    [finding] = examine(three)
    assert finding.fault.startswith("mnist/3/trial.json: not the record of a trial: ")
    assert repair(three) == ["version 3"]
    assert (three.versions(), three.trial(3), examine(three)) == ([1, 2, 3], None, [])
    assert (folder / "mnist/3" / f"{TRIAL}{SET_ASIDE}").exists()


def test_damage_is_found_in_the_record_of_each_trial(three: Repository, folder: Path) -> None:
    for _ in range(2):
        three.record_trial(failed_trial(3))
    truncate(folder / "mnist/3" / TRIAL)
    assert repair(three) == ["version 3"]
    assert (three.trial(3), examine(three)) == (failed_trial(3), [])


def test_nothing_is_repaired_against_an_alias_that_was_moved_meanwhile(three: Repository, folder: Path) -> None:
    (folder / "mnist/2" / MANIFEST).unlink()
    [finding] = examine(three)
    three.promote(3, by="a test", why="repaired by hand")
    assert finding.repair
    with pytest.raises(AliasMovedError, match="points to version 3, expected version 2"):
        finding.repair()
    assert three.champion() == 3


def by_hand(three: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> str:
    """Spoil something that no program can decide.

    Returns:
        What is named.
    """
    manifest = folder / "mnist/1" / MANIFEST
    if what == "a report":
        truncate(folder / "mnist/1/report.html")
    elif what == "a newer manifest":
        manifest.write_bytes(sealed({"schema_version": 2, "name": "mnist"}))
    elif what == "a copied folder":
        manifest.write_bytes((folder / "mnist/3" / MANIFEST).read_bytes())
    elif what == "a manifest that may not be read":
        forbid(manifest, monkeypatch)
    elif what == "a record of a trial that may not be read":
        three.record_trial(failed_trial(1))
        forbid(folder / "mnist/1" / TRIAL, monkeypatch)
    elif what == "a record of a trial that a newer Numeral may have written":
        (folder / "mnist/1" / TRIAL).write_bytes(sealed({"schema_version": 2}))
    elif what == "a folder that may not be entered":
        forbid(folder / "mnist/1", monkeypatch)
    else:
        return by_hand_of_aliases(folder / "mnist/aliases", monkeypatch, what)
    return "version 1"


def by_hand_of_aliases(folder: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> str:
    """The same of aliases."""
    log = folder / "champion"
    if what == "a folder of aliases that may not be entered":
        forbid(folder, monkeypatch)
        return "the aliases"
    if what == "a folder of aliases that is a link to nothing":
        folder.rename(folder.with_name("unmounted"))
        folder.symlink_to("nowhere")
        return "the aliases"
    if what == "a log that may not be entered":
        forbid(log, monkeypatch)
    elif what == "a move that may not be read":
        forbid(log / "000001.json", monkeypatch)
    elif what == "a newest move that may not be read":
        forbid(log / "000002.json", monkeypatch)
    elif what == "a log that is a link to nothing":
        (folder / "canary").symlink_to("nowhere")
        return "alias canary"
    elif what == "a file that has no name of a move":
        (log / "7.json").write_bytes((log / "000002.json").read_bytes())
    elif what == "a FIFO beside the moves":
        os.mkfifo(log / "notes")
    else:
        for move in log.iterdir():
            move.write_text("{")
    return "alias champion"


@pytest.mark.parametrize(
    "what",
    [
        "a report",
        "a newer manifest",
        "a copied folder",
        "a manifest that may not be read",
        "a record of a trial that may not be read",
        "a record of a trial that a newer Numeral may have written",
        "a folder that may not be entered",
        "a folder of aliases that may not be entered",
        "a folder of aliases that is a link to nothing",
        "a log that may not be entered",
        "a log that is a link to nothing",
        "a move that may not be read",
        "a newest move that may not be read",
        "a file that has no name of a move",
        "a FIFO beside the moves",
        "a log without a sound move",
    ],
)
def test_what_no_program_can_decide_is_named_and_left_alone(
    three: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    name = by_hand(three, folder, monkeypatch, what)
    [finding] = examine(three)
    assert (finding.name, finding.repair) == (name, None)
    assert finding.remedy


def test_behind_a_move_that_may_not_be_read_none_is_added(
    three: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three.promote(3, by="another", why="it says so")
    (folder / "mnist/2" / MANIFEST).unlink()
    allow = forbid(folder / "mnist/aliases/champion/000003.json", monkeypatch)
    assert repair(three) == []
    assert len(examine(three)) == 1
    allow()
    assert (three.champion(), examine(three)) == (3, [])


@pytest.mark.parametrize("what", ["manifest", "weights", "folder", "newer manifest"])
def test_an_alias_stays_at_a_version_that_others_may_be_able_to_serve(
    three: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    place = folder / "mnist/2"
    if what == "newer manifest":
        (place / MANIFEST).write_bytes(sealed({"schema_version": 2, "name": "mnist"}))
    else:
        forbid({"manifest": place / MANIFEST, "weights": place / WEIGHTS, "folder": place}[what], monkeypatch)
    assert [(finding.name, finding.repair) for finding in examine(three)] == [("version 2", None)]
    assert three.champion() == 2


def test_no_alias_is_moved_back_to_a_version_that_was_pruned_meanwhile(three: Repository, folder: Path) -> None:
    (folder / "mnist/2" / MANIFEST).unlink()
    [finding] = examine(three)
    shutil.rmtree(folder / "mnist/1")
    assert finding.repair
    with pytest.raises(VersionNotFoundError):
        finding.repair()
    assert three.champion() == 2


def test_the_remedy_for_a_copied_folder_names_the_original(three: Repository, folder: Path) -> None:
    shutil.copytree(folder / "mnist/1", folder / "mnist/5")
    [finding] = examine(three)
    assert finding.fault == "mnist/5/manifest.json: describes mnist 1; was the folder copied?"
    assert finding.remedy == "remove the folder if it is a copy; if it was renamed, call it 1 again"


def test_a_log_that_may_not_be_entered_hides_nothing_else(
    three: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three.promote(3, by="a test", why="it says so", alias="zoo")
    truncate(folder / "mnist/3" / WEIGHTS)
    forbid(folder / "mnist/aliases/champion", monkeypatch)
    assert [finding.name for finding in examine(three)] == ["version 3", "alias champion", "alias zoo"]


def test_a_version_that_is_pruned_while_others_are_examined_is_passed_over(three: Repository, folder: Path) -> None:
    findings = three.examine(by="a test")
    truncate(folder / "mnist/1" / WEIGHTS)
    assert next(findings).version == 1
    (folder / "mnist/3" / MANIFEST).unlink()
    with pytest.raises(VersionNotFoundError):
        three.manifest(3)
    assert list(findings) == []


@pytest.mark.parametrize("midway", [MANIFEST, WEIGHTS, "report.html", TRIAL])
def test_a_version_that_is_pruned_while_it_is_read_is_passed_over(
    three: Repository, monkeypatch: pytest.MonkeyPatch, midway: str
) -> None:
    publish(three)
    three.record_trial(failed_trial(3))
    get = Objects.get

    def pruned_before(self: Objects, path: str, *most: int) -> bytes | None:
        if path == f"mnist/3/{midway}":
            monkeypatch.setattr(Objects, "get", get)
            assert three.prune(keep=1) == [3]
        return get(self, path, *most)

    monkeypatch.setattr(Objects, "get", pruned_before)
    assert examine(three) == []
    assert three.versions() == [1, 2, 4]


def test_what_is_gone_by_the_time_of_its_repair_is_not_made_again(three: Repository, folder: Path) -> None:
    publish(three)
    truncate(folder / "mnist/3" / WEIGHTS)
    [finding] = examine(three)
    assert three.prune(keep=1) == [3]
    assert finding.repair
    finding.repair()
    assert not (folder / "mnist/3").exists()
