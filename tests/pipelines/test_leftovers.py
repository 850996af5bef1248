"""What killed and failed runs leave is kept for some days, and then removed."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import leftovers
from pipelines.leftovers import MOST, Leftover
from pipelines.lock import locked
from pipelines.retrain.work import lock_of

DAY = 86_400.0
KEEP = timedelta(days=14)


def silent(words: str) -> None:
    """Nobody listens."""


def leave(path: Path, days: float, data: bytes = b"left") -> Path:
    """A file that was last written to some days ago, in a folder of that age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    then = path.stat().st_mtime - days * DAY
    for one in (path, path.parent):
        os.utime(one, (then, then))
    return path


def aged(days: float, kind: str = "unfinished run") -> Leftover:
    return Leftover(Path(f"{kind} {days}"), kind, 100 * DAY - days * DAY, 1)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([aged(13.9)], []),
        ([aged(1), aged(14.1)], [aged(14.1)]),
        ([aged(2)] * MOST + [aged(3)], [aged(3)]),
        ([aged(0.1)] * MOST + [aged(0.2)], []),
        ([aged(2)] * MOST + [aged(3, "damaged file")], []),
    ],
    ids=["nothing", "young", "old", "too many", "too many, but of today", "many of another kind"],
)
def test_the_old_ones_and_those_beyond_the_newest_are_due(found: list[Leftover], expected: list[Leftover]) -> None:
    assert leftovers.due(found, now=100 * DAY, keep=KEEP) == expected


def test_old_leftovers_of_every_kind_are_removed_and_the_rest_stays(tmp_path: Path) -> None:
    old = [
        leave(tmp_path / "work" / "0123456789abcdef" / "train.checkpoint", 15, b"x" * 2_000_000),
        leave(tmp_path / "work" / "feedback-00", 15),
        leave(tmp_path / "mnist" / "images.gz.part", 15),
        leave(tmp_path / "mnist" / "images.gz.part.json", 15),
        leave(tmp_path / "mnist" / "quarantine" / "images.gz.00", 15),
        leave(tmp_path / ".preflight-00.tmp", 15),
    ]
    kept = [
        leave(tmp_path / "work" / "fedcba9876543210" / "train.checkpoint", 3),
        leave(tmp_path / "mnist" / "images.gz", 99),
        leave(tmp_path / "mnist" / "labels.gz.part", 3),
        leave(tmp_path / "schedule.lock", 99),
    ]
    said: list[str] = []
    assert len(leftovers.reclaim(tmp_path, KEEP, said.append)) == len(old)
    assert [path for path in old if path.exists()] == []
    assert not old[0].parent.exists()
    assert all(path.exists() for path in kept)
    (sentence,) = said
    assert sentence.startswith(f"reclaimed 2.0 MB of {tmp_path}: 6 left by runs that never ended (damaged file, ")


def test_the_age_of_a_run_is_that_of_its_newest_file(tmp_path: Path) -> None:
    leave(tmp_path / "work" / "0123456789abcdef" / "preprocessing.json", 15)
    leave(tmp_path / "work" / "0123456789abcdef" / "train.checkpoint", 3)
    assert leftovers.reclaim(tmp_path, KEEP, silent) == []


def test_a_folder_that_a_run_works_in_is_never_removed(tmp_path: Path) -> None:
    checkpoint = leave(tmp_path / "work" / "0123456789abcdef" / "train.checkpoint", 99)
    with locked(lock_of(checkpoint.parent), silent, silent):
        assert leftovers.reclaim(tmp_path, KEEP, silent) == []
    assert len(leftovers.reclaim(tmp_path, KEEP, silent)) == 1


def test_the_lock_of_a_killed_run_goes_with_its_folder(tmp_path: Path) -> None:
    leave(tmp_path / "work" / "0123456789abcdef.lock", 0)
    leftovers.reclaim(tmp_path, KEEP, silent)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    target = leave(tmp_path / "elsewhere" / "file", 99)
    (tmp_path / "mnist" / "quarantine").mkdir(parents=True)
    link = tmp_path / "mnist" / "quarantine" / "images"
    link.symlink_to(target.parent)
    os.utime(link, (0, 0), follow_symlinks=False)
    leftovers.reclaim(tmp_path, KEEP, silent)
    assert target.exists()
    assert not link.is_symlink()


def test_a_missing_data_folder_holds_nothing(tmp_path: Path) -> None:
    assert leftovers.reclaim(tmp_path / "missing", KEEP, silent) == []


def test_without_locks_only_what_has_been_idle_for_a_day_is_removed(tmp_path: Path, lockless: None) -> None:
    old = leave(tmp_path / "work/old/checkpoint", days=20)
    fresh = leave(tmp_path / "work/fresh/checkpoint", days=0.5)
    part = leave(tmp_path / "mnist/images.part", days=20)
    leftovers.reclaim(tmp_path, timedelta(0), silent)
    assert not old.exists()
    assert not part.exists()
    assert fresh.exists()
    assert not list(tmp_path.rglob("*.lock"))
