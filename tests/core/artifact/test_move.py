"""The moves of an alias: what they say together, and that no damaged one says anything."""

from datetime import UTC, datetime

import pytest

from core.artifact.move import Move, read_move, standing_promotions
from core.artifact.objects import Objects
from core.artifact.sealed import sealed
from core.errors import ManifestError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def moves(*actions: int) -> list[Move]:
    """Promotions of these versions; a 0 is a rollback, to whatever it leads to."""
    made: list[Move] = []
    for version in actions:
        if version:
            move = Move(version=version, previous=None, action="promote", at=NOW, by="", why="")
        else:
            target = standing_promotions(made)[-2]
            move = Move(version=target, previous=None, action="rollback", at=NOW, by="", why="")
        made.append(move)
    return made


@pytest.mark.parametrize(
    ("actions", "standing"),
    [
        ([], []),
        ([1], [1]),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 1, 1], [1]),
        ([1, 2, 0], [1]),
        ([1, 2, 3, 0], [1, 2]),
        ([1, 2, 3, 0, 0], [1]),
        ([1, 2, 0, 3], [1, 3]),
        ([1, 2, 0, 2], [1, 2]),
        ([1, 2, 1], [1, 2, 1]),
        ([1, 2, 1, 0], [1, 2]),
        ([1, 2, 3, 0, 2, 0], [1]),
    ],
)
def test_the_promotions_that_stand(actions: list[int], standing: list[int]) -> None:
    made = moves(*actions)
    assert standing_promotions(made) == standing
    assert [move.version for move in made[-1:]] == standing[-1:]


@pytest.mark.parametrize(("missing", "standing"), [(1, [2]), (2, [1, 2]), (3, [1, 2]), (4, [1, 2, 3]), (5, [1, 2])])
def test_if_a_move_is_missing_the_last_promotion_that_stands_is_where_the_last_move_points(
    missing: int, standing: list[int]
) -> None:
    made = moves(1, 2, 3, 0, 0)[: max(missing, 4)]
    made = [move for number, move in enumerate(made, 1) if number != missing]
    assert standing_promotions(made) == standing


def test_no_flipped_bit_of_a_move_changes_where_an_alias_points() -> None:
    move = Move(version=3, previous=2, action="rollback", at=NOW, by="a test", why="it says so")
    data = sealed(move.model_dump(mode="json"))
    objects = Objects("memory://")
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        objects.create(f"{bit}.json", bytes(flipped))
        try:
            assert read_move(objects, f"{bit}.json") == move, f"bit {bit}"
        except ManifestError:
            continue


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"version": 10**9},
        {"previous": -1},
        {"action": "delete"},
        {"at": "2026-01-01T00:00:00"},
        {"at": "0001-01-01T00:00:00Z"},
        {"by": "b" * 20_000},
        {"why": None},
    ],
)
def test_a_move_that_cannot_be_true_is_refused(change: dict[str, object]) -> None:
    move = Move(version=3, previous=None, at=NOW, by="a test", why="it says so").model_dump(mode="json")
    objects = Objects("memory://")
    objects.create("1.json", sealed(move))
    objects.create("2.json", sealed(move | change))
    assert read_move(objects, "1.json").version == 3
    with pytest.raises(ManifestError, match=r"2\.json: not a move of an alias"):
        read_move(objects, "2.json")


def test_a_move_from_before_there_were_digests_is_read() -> None:
    objects = Objects("memory://")
    objects.create(
        "1.json", b'{"version": 7, "previous": null, "at": "2026-01-02T03:04:05Z", "by": "ada", "why": "first"}'
    )
    assert read_move(objects, "1.json").version == 7
