"""Which version is a canary, by the moves of the two aliases alone."""

from datetime import UTC, datetime

import pytest

from core.artifact.alias import Move
from pipelines.canary.challenger_alias import FOLLOWS, Canary, astray_in, begun, canary_in, end_of, over

AT = datetime(2026, 3, 1, tzinfo=UTC)


def move(version: int, why: str = "by hand") -> Move:
    return Move(version=version, previous=None, at=AT, by="somebody", why=why)


def canary(version: int, beside: int = 5) -> Move:
    return move(version, begun(beside, "it is good"))


CHAMPIONS = [move(4), move(5)]


@pytest.mark.parametrize(
    ("situation", "moves", "champions", "found"),
    [
        ("nothing was moved", [], CHAMPIONS, None),
        ("it has begun", [canary(8)], CHAMPIONS, 8),
        ("another one has begun since", [canary(8), canary(9)], CHAMPIONS, 9),
        ("a person has pointed the alias elsewhere", [canary(8), move(3)], CHAMPIONS, None),
        ("a person has pointed it to the same version", [canary(8), move(8)], CHAMPIONS, None),
        ("it was stopped", [canary(8), move(5, "the canary of version 8 is over: it fails")], CHAMPIONS, None),
        ("it is the champion", [canary(8)], [*CHAMPIONS, move(8)], None),
        ("it was the champion", [canary(8)], [*CHAMPIONS, move(8), move(5)], None),
        ("the champion has changed", [canary(8)], [*CHAMPIONS, move(6)], 8),
    ],
)
def test_which_version_is_a_canary(situation: str, moves: list[Move], champions: list[Move], found: int | None) -> None:
    expected = None if found is None else Canary(found, 5, AT)
    assert canary_in(moves, champions) == expected, situation


STOPPED = move(5, over(8, "it fails"))


@pytest.mark.parametrize(
    ("situation", "moves", "champions", "left"),
    [
        ("the canary is the champion", [canary(8)], [*CHAMPIONS, move(8)], None),
        ("it was rolled back", [canary(8)], [*CHAMPIONS, move(8), move(5)], 8),
        ("it was replaced by hand", [canary(8)], [*CHAMPIONS, move(8), move(9)], 8),
        ("it was stopped", [canary(8), STOPPED], CHAMPIONS, None),
        ("it was stopped, and the champion was moved by hand", [canary(8), STOPPED], [*CHAMPIONS, move(6)], 5),
        ("it has followed the champion once", [canary(8), move(6, FOLLOWS)], [*CHAMPIONS, move(6), move(7)], 6),
        ("a canary goes on", [canary(8)], [*CHAMPIONS, move(6)], None),
        ("a person has pointed the alias elsewhere", [canary(8), move(3)], [*CHAMPIONS, move(8)], None),
        ("there is no champion", [STOPPED], [], None),
        ("nothing was moved", [], CHAMPIONS, None),
    ],
)
def test_where_the_alias_was_left_when_a_canary_was_over(
    situation: str, moves: list[Move], champions: list[Move], left: int | None
) -> None:
    assert astray_in(moves, champions) == left, situation


def test_why_a_canary_is_over_is_the_reason_of_the_move_that_ended_it() -> None:
    assert end_of([], 8) is None
    assert end_of([move(8)], 8) is None, "it was none"
    assert end_of([canary(8)], 8) is None, "it still is one"
    assert end_of([canary(8), move(5, "it fails"), move(3, "something else")], 8) == "it fails"
    assert end_of([canary(8), canary(9)], 8) == f"version 9 became the challenger: {begun(5, 'it is good')}"
    assert end_of([canary(8), move(5, "it fails"), canary(8)], 8) is None, "it has begun again"
    assert end_of([canary(8), canary(8, beside=6)], 8) is None, "likewise, beside another champion"
