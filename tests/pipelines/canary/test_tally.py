"""The tally: what several services have counted, across their restarts and ours."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.canary import tally as tallied
from pipelines.canary.challenger_alias import Canary
from pipelines.canary.metrics_page import Counts, MetricsPage
from pipelines.canary.tally import Tally, tallying

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = Canary(version=8, beside=5, begun=BEGUN)
HERE, THERE = "http://here:1/metrics", "http://there:1/metrics"


def page(start: float, canary: int, champion: int) -> MetricsPage:
    """What a service shows that started then, and has computed so many images with each version since."""
    counts = Counts(computed=canary), Counts(computed=champion)
    return MetricsPage(start, *counts, loaded=True, refused="", shares={"challenger": 0.1}, pinned="")


def counted(tally: Tally) -> tuple[int, int]:
    canary, champion = tally.counted
    return canary.pictures, champion.pictures


@pytest.fixture
def before() -> float:
    """When a service has started that is older than the tally."""
    return time.time() - 3600


def test_what_was_counted_before_the_first_look_does_not_count(before: float) -> None:
    tally = Tally.of(CANARY).plus(HERE, page(before, 3, 1000))
    assert counted(tally) == (0, 0)
    assert counted(tally.plus(HERE, page(before, 10, 1060))) == (7, 60)


def test_all_that_a_restarted_service_counts_is_added(before: float) -> None:
    tally = Tally.of(CANARY).plus(HERE, page(before, 0, 1000)).plus(HERE, page(before, 10, 1090))
    restarted = tally.plus(HERE, page(time.time() + 60, 4, 36))
    assert counted(restarted) == (14, 126)
    more_than_ever_before = restarted.plus(HERE, page(restarted.starts[-1].at, 5000, 45_000))
    assert counted(more_than_ever_before) == (5010, 45_090), "a counter need not fall when a service restarts"


def test_services_behind_one_address_are_told_apart_by_their_starts(before: float) -> None:
    tally = Tally.of(CANARY)
    for canary in (0, 10, 20):
        tally = tally.plus(HERE, page(before, canary, 900)).plus(HERE, page(before + 1, 500 + canary, 5000))
    assert counted(tally) == (40, 0)


def test_one_service_under_two_addresses_is_counted_once(before: float) -> None:
    tally = Tally.of(CANARY)
    for canary in (0, 10):
        tally = tally.plus(HERE, page(before, canary, 90)).plus(THERE, page(before, canary, 90))
    assert counted(tally) == (10, 0)


def test_of_two_looks_at_once_the_one_that_asked_first_may_write_last(before: float) -> None:
    tally = Tally.of(CANARY).plus(HERE, page(before, 0, 0)).plus(HERE, page(before, 20, 180))
    assert counted(tally.plus(HERE, page(before, 10, 90))) == (20, 180)


def test_a_service_that_restarts_all_the_time_is_added_up(before: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallied, "_MOST", 3)
    tally, now = Tally.of(CANARY), time.time() + 60
    for crash in range(10):
        tally = tally.plus(HERE, page(now + crash, 1, 9))
    assert len(tally.starts) == 3
    assert counted(tally) == (10, 90)


def test_the_tally_is_kept_between_looks_and_forgotten_with_the_next_canary(tmp_path: Path, before: float) -> None:
    for canary in (0, 10):
        with tallying(tmp_path, CANARY) as book:
            book.write(book.tally.plus(HERE, page(before, canary, 90)))
    with tallying(tmp_path, CANARY) as book:
        assert counted(book.tally) == (10, 0)
    for other in (
        Canary(version=9, beside=5, begun=BEGUN),
        Canary(version=8, beside=6, begun=BEGUN),
        Canary(version=8, beside=5, begun=BEGUN + timedelta(days=1)),
    ):
        with tallying(tmp_path, other) as book:
            assert counted(book.tally) == (0, 0)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"version": 8}'])
def test_after_a_damaged_tally_counting_begins_anew(tmp_path: Path, before: float, damage: bytes) -> None:
    with tallying(tmp_path, CANARY) as book:
        book.write(book.tally.plus(HERE, page(before, 10, 90)))
    (tmp_path / "canary.json").write_bytes(damage)
    with tallying(tmp_path, CANARY) as book:
        assert book.tally.starts == ()
