"""What is found to be wrong with a repository, and what is there after it was repaired."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifact.manifest import MANIFEST, WEIGHTS
from core.artifact.repair import SET_ASIDE, Finding
from core.artifact.repository import Repository
from core.artifact.sealed import sealed
from core.errors import VersionNotFoundError

from .builders import publish
from .forbidden import forbid


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
    assert (folder / "mnist/2" / SET_ASIDE).read_bytes() == manifest
    (folder / "mnist/2" / SET_ASIDE).rename(folder / "mnist/2" / MANIFEST)
    assert three.versions() == [1, 2, 3]
    assert publish(three).version == 4


def test_nothing_is_repaired_against_an_alias_that_was_moved_meanwhile(three: Repository, folder: Path) -> None:
    (folder / "mnist/2" / MANIFEST).unlink()
    [finding] = examine(three)
    three.promote(3, by="a test", why="repaired by hand")
    assert finding.repair
    with pytest.raises(Exception, match="points to version 3, expected version 2"):
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
    elif what == "a folder that may not be entered":
        forbid(folder / "mnist/1", monkeypatch)
    else:
        for move in (folder / "mnist/aliases/champion").iterdir():
            move.write_text("{")
        return "alias champion"
    return "version 1"


@pytest.mark.parametrize(
    "what",
    [
        "a report",
        "a newer manifest",
        "a copied folder",
        "a manifest that may not be read",
        "a folder that may not be entered",
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


def test_a_version_that_is_pruned_while_others_are_examined_is_passed_over(three: Repository, folder: Path) -> None:
    findings = three.examine(by="a test")
    truncate(folder / "mnist/1" / WEIGHTS)
    assert next(findings).version == 1
    (folder / "mnist/3" / MANIFEST).unlink()
    with pytest.raises(VersionNotFoundError):
        three.manifest(3)
    assert list(findings) == []
