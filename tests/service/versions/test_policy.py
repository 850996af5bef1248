"""Which version to serve: the decisions, as tables."""

from datetime import UTC, datetime

import pytest

from core.artifact.alias import Move
from service.versions.policy import Refusal, choose, drawn, fallbacks, pretrained_serves, resolve, still_refused
from service.wishes import PRETRAINED_NUMBER, Share, Wishes
from tests.floats import close


@pytest.mark.parametrize(
    ("situation", "champion", "active", "refused", "stand_ins", "wanted"),
    [
        ("nothing was promoted yet", None, None, set(), (), None),
        ("a first champion", 1, None, set(), (), 1),
        ("nothing new", 3, 3, set(), (), 3),
        ("a newer champion", 4, 3, set(), (), 4),
        ("the champion was rolled back", 2, 3, set(), (), 2),
        ("the new champion is damaged", 4, 3, {4}, (), 3),
        ("the new champion is damaged, and others would stand in", 4, 3, {4}, (2, 1), 3),
        ("a sound champion after a damaged one", 5, 3, {4}, (), 5),
        ("the repository is suddenly empty", None, 3, set(), (), 3),
        ("the active version was damaged on disk later", 3, 3, {3}, (), 3),
        ("cold start, the champion is damaged", 4, None, {4}, (3, 2), 3),
        ("cold start, the champion and the next best are damaged", 4, None, {4, 3}, (3, 2), 2),
        ("cold start, everything is damaged", 4, None, {4, 3, 2}, (3, 2), None),
        ("cold start, a damaged champion and nothing else", 1, None, {1}, (), None),
        ("a first champion, while the pretrained version serves", 1, PRETRAINED_NUMBER, set(), (), 1),
        (
            "a damaged first champion, while the pretrained version serves",
            1,
            PRETRAINED_NUMBER,
            {1},
            (),
            PRETRAINED_NUMBER,
        ),
    ],
)
def test_the_version_to_serve(situation, champion, active, refused, stand_ins, wanted):
    assert choose(champion=champion, active=active, refused=refused, fallbacks=stand_ins) == wanted


@pytest.mark.parametrize(
    ("situation", "champion", "available", "active", "outgrown", "serves"),
    [
        ("nothing was published, nothing serves", None, (), None, False, True),
        ("nothing was published, and it serves already", None, (), PRETRAINED_NUMBER, False, True),
        ("a version serves whose repository is suddenly empty", None, (), 1, True, False),
        ("a version has served, and its repository is empty", None, (), None, True, False),
        ("a version is published and not promoted", None, (1,), None, False, False),
        ("a version is published and not promoted, while it serves", None, (1,), PRETRAINED_NUMBER, False, False),
        ("a champion exists", 1, (1,), None, False, False),
        ("the champion is a version that does not exist", 1, (), None, False, False),
    ],
)
def test_when_the_pretrained_version_is_the_one_to_serve(situation, champion, available, active, outgrown, serves):
    assert pretrained_serves(champion=champion, available=available, active=active, outgrown=outgrown) is serves


@pytest.mark.parametrize(
    ("situation", "moves", "available", "ranked"),
    [
        ("earlier champions come first, the latest of them foremost", [1, 3, 2, 5], {1, 2, 3, 4, 5}, (2, 3, 1, 4)),
        ("never promoted versions only where they are older", [2], {1, 2, 3}, (1,)),
        ("a version that was rolled back stays withdrawn", [1, 2, "back", 3], {1, 2, 3}, (1,)),
        ("a withdrawn version comes back when it is promoted again", [1, 2, "back", 2, 3], {1, 2, 3}, (2, 1)),
        ("after a rollback, what stood before comes next", [1, 2, 3, "back"], {1, 2, 3}, (1,)),
        ("versions that were pruned cannot stand in", [1, 2, 3], {2, 3}, (2,)),
        ("an unreadable history leaves the numbers", [], {1, 2, 3}, (2, 1)),
        ("a champion alone", [1], {1}, ()),
    ],
)
def test_what_stands_in_for_a_damaged_champion(situation, moves, available, ranked):
    log = history(moves)
    champion = log[-1].version if log else 3
    assert fallbacks(champion, available, log) == ranked


def test_a_refused_version_is_tried_again_only_when_its_own_bytes_have_changed():
    refusals = {4: Refusal("damaged", seen="aaa"), 5: Refusal("damaged", seen="bbb"), 6: Refusal("not there", seen="")}
    assert still_refused(refusals, {4: "aaa", 5: "bbb"}) == {4, 5, 6}
    assert still_refused(refusals, {4: "aaa", 5: "mended", 6: "published", 7: "new"}) == {4}
    assert still_refused(refusals, {}) == {6}


def history(steps: list[int | str]) -> list[Move]:
    """Promotions by number; "back" rolls the last standing one back."""
    moves: list[Move] = []
    standing: list[int] = []
    for step in steps:
        if step == "back":
            standing.pop()
        else:
            standing.append(step)
        action = "rollback" if step == "back" else "promote"
        previous = moves[-1].version if moves else None
        moves.append(
            Move(
                version=standing[-1], previous=previous, action=action, at=datetime.now(UTC), by="tests", why="a table"
            )
        )
    return moves


@pytest.mark.parametrize(
    ("situation", "champion", "active", "withdrawn", "stand_ins", "wanted"),
    [
        ("the champion was withdrawn while it serves", 4, 4, {4}, (3, 2), 3),
        ("the champion was withdrawn, and so was the next best", 4, 4, {4, 3}, (3, 2), 2),
        ("nothing else is there", 4, 4, {4}, (), None),
        ("the champion was withdrawn, and an earlier one serves", 4, 3, {4}, (), 3),
        ("another champion comes", 5, 3, {4}, (), 5),
        ("the repository is suddenly empty", None, 4, {4}, (3,), 3),
        ("at a cold start", 4, None, {4}, (3,), 3),
    ],
)
def test_what_serves_in_the_place_of_a_version_that_was_withdrawn(
    situation, champion, active, withdrawn, stand_ins, wanted
):
    assert choose(champion=champion, active=active, withdrawn=withdrawn, fallbacks=stand_ins) == wanted


@pytest.mark.parametrize(
    ("name", "bad", "number"),
    [
        ("champion", (), 2),
        ("challenger", (), 3),
        ("challenger", (3,), 3),
        ("no such alias", (), None),
        ("latest", (), 4),
        ("latest", (4,), 3),
        ("latest", (4, 3, 2, 1), 4),
        ("pinned:1", (), 1),
        ("pinned:9", (), 9),
        ("3", (), 3),
    ],
)
def test_what_a_name_stands_for(name, bad, number):
    assert resolve(name, {1, 2, 3, 4}, {"champion": 2, "challenger": 3}, bad) == number


def test_latest_stands_for_no_version_before_the_first_is_published():
    assert resolve("latest", (), {}) is None


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 1.0])
def test_a_share_is_kept_exactly_over_any_run_of_calls_and_nearly_over_keys(fraction):
    for start in (0, 12_345):
        assert sum(drawn(fraction, "", turn) for turn in range(start, start + 1000)) == close(
            1000 * fraction, abs=2, why="whole calls"
        )
    assert sum(drawn(fraction, f"user {n}", 0) for n in range(10_000)) == close(
        10_000 * fraction, abs=200, why="a sample"
    )


def test_a_key_is_drawn_whatever_its_turn_and_stays_drawn_when_the_share_grows():
    keys = [f"user {n}" for n in range(200)]
    few, more = ([drawn(fraction, key, turn) for turn, key in enumerate(keys)] for fraction in (0.1, 0.3))
    assert few == [drawn(0.1, key, 7) for key in keys]
    assert all(later for earlier, later in zip(few, more, strict=True) if earlier)


def test_wishes_name_each_version_once_and_that_of_the_policy_first():
    wishes = Wishes.parse("latest", " 3, challenger,", "challenger:10%", "4:2.5%")
    assert wishes.names == ("latest", "3", "challenger", "4")
    assert wishes.shadow == Share("4", 0.025)
