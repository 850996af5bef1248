"""What the follower of versions does next: the decisions as a table, and that repeating them always ends well."""

from datetime import UTC, datetime

import pytest

from core.artifact.alias import Move
from service.versions.actions import (
    Drop,
    Load,
    ReadHistory,
    Release,
    Serve,
    Stay,
    Verify,
    Versions,
    decide,
    next_action,
)
from service.wishes import PRETRAINED_NUMBER, UNNAMED, Wishes

CHAMPION = Wishes()
BESIDE = Wishes(also=("challenger",))
FALLING_BACK = {"aliases": {"champion": 2}, "named": {"champion": 2}, "withdrawn": frozenset({2})}


def versions(held: tuple[int, ...] = (), **differences) -> Versions:
    """Versions 1, 2 and 3 are published, 2 is champion and 3 challenger; `held` are in memory as they are there."""
    fields = {
        "available": (1, 2, 3),
        "aliases": {"champion": 2, "challenger": 3},
        "stamps": {1: "one", 2: "two", 3: "three"},
    } | differences
    stamps = fields["stamps"]
    return Versions(held={number: stamps.get(number, "") for number in held}, **fields)


def empty(**differences) -> Versions:
    """A repository in which nothing was published yet, or that is away."""
    return Versions(**{"available": (), "aliases": {}, "stamps": {}, "pretrained": True} | differences)


def promoted(*numbers: int) -> tuple[Move, ...]:
    return tuple(
        Move(version=number, previous=None, at=datetime.now(UTC), by="tests", why="a table") for number in numbers
    )


SERVING_1 = {"named": {"champion": 1}}
SERVING_2 = {"named": {"champion": 2}}
SERVING_2_UNDER_A_PIN = {"named": {UNNAMED: 1, "champion": 2}}
PRETRAINED = {"named": {"champion": PRETRAINED_NUMBER}, "held": {PRETRAINED_NUMBER: ""}}


@pytest.mark.parametrize(
    ("situation", "wishes", "found", "expected"),
    [
        # a cold start
        ("at a cold start, the champion is loaded", CHAMPION, versions(), Load(2)),
        ("once it is in memory, it serves", CHAMPION, versions((2,)), Serve("champion", 2)),
        ("once it serves, there is nothing to do", CHAMPION, versions((2,), **SERVING_2), None),
        # another champion
        ("a promoted version is loaded while the one before serves", CHAMPION, versions((1,), **SERVING_1), Load(2)),
        ("once it is in memory, it takes over", CHAMPION, versions((1, 2), **SERVING_1), Serve("champion", 2)),
        (
            "after a rollback, the earlier version is loaded though it is older",
            CHAMPION,
            versions((3,), named={"champion": 3}),
            Load(2),
        ),
        (
            "after a rollback to the version on probation, it serves from memory",
            CHAMPION,
            versions((2, 3), named={"champion": 3}, before=2),
            Serve("champion", 2),
        ),
        # damaged versions
        (
            "a damaged new champion changes nothing while an older version serves",
            CHAMPION,
            versions((1,), **SERVING_1, refused=frozenset({2})),
            None,
        ),
        (
            "a champion that is damaged on disk goes on serving from memory",
            CHAMPION,
            versions((2,), **SERVING_2, refused=frozenset({2})),
            None,
        ),
        (
            "at a cold start on a damaged champion, its history is read",
            CHAMPION,
            versions(refused=frozenset({2})),
            ReadHistory("champion"),
        ),
        (
            "then the champion before is loaded, even if its number is higher",
            CHAMPION,
            versions(refused=frozenset({2}), moves=promoted(3, 2)),
            Load(3),
        ),
        (
            "it serves as a stand-in",
            CHAMPION,
            versions((3,), refused=frozenset({2}), moves=promoted(3, 2)),
            Serve("champion", 3, instead_of=2),
        ),
        (
            "a stand-in goes on serving",
            CHAMPION,
            versions((3,), named={"champion": 3}, refused=frozenset({2}), moves=promoted(3, 2)),
            None,
        ),
        (
            "if the history cannot be read, the next older number stands in",
            CHAMPION,
            versions(refused=frozenset({2}), moves=()),
            Load(1),
        ),
        (
            "if no stand-in can be served either, there is nothing to do",
            CHAMPION,
            versions(refused=frozenset({1, 2}), moves=()),
            None,
        ),
        # a repository that changes in other ways
        (
            "if the repository is empty or away, the version goes on serving",
            CHAMPION,
            empty(named={"champion": 2}, held={2: "two"}, outgrown=True),
            None,
        ),
        (
            "if only the files of the version are gone, it goes on serving",
            CHAMPION,
            Versions((2,), {"champion": 2}, held={2: "two"}, **SERVING_2),
            None,
        ),
        (
            "if the version's files have changed, its manifest is compared",
            CHAMPION,
            Versions((2,), {"champion": 2}, {2: "anew"}, held={2: "two"}, **SERVING_2),
            Verify(2),
        ),
        (
            "if its number stands for other weights, they are loaded",
            CHAMPION,
            versions(**SERVING_2, outdated=frozenset({"champion"})),
            Load(2),
        ),
        (
            "once they are in memory, they take over under the same number",
            CHAMPION,
            versions((2,), **SERVING_2, outdated=frozenset({"champion"})),
            Serve("champion", 2),
        ),
        (
            "if they are damaged, the copy in memory goes on serving",
            CHAMPION,
            versions(**SERVING_2, outdated=frozenset({"champion"}), refused=frozenset({2})),
            None,
        ),
        (
            "if the champion is named and does not exist, it is tried nonetheless, so that the log says so",
            CHAMPION,
            versions((2,), **SERVING_2, aliases={"champion": 9}),
            Load(9),
        ),
        (
            "if nothing is promoted, nothing is loaded",
            CHAMPION,
            versions(aliases={}, pretrained=True),
            None,
        ),
        # the policies latest and pinned
        ("latest loads the newest version", Wishes("latest"), versions(), Load(3)),
        ("latest passes over a damaged one", Wishes("latest"), versions(refused=frozenset({3})), Load(2)),
        (
            "latest finds a stand-in without a history",
            Wishes("latest"),
            versions((1,), named={"latest": 1}, refused=frozenset({2, 3}), withdrawn=frozenset({1})),
            Drop("latest"),
        ),
        ("a pinned version is loaded whatever is promoted", Wishes("pinned:1"), versions(), Load(1)),
        ("a damaged pinned version has no stand-in", Wishes("pinned:1"), versions(refused=frozenset({1})), None),
        (
            "a pinned version that is withdrawn is dropped",
            Wishes("pinned:1"),
            versions((1, 2), named={"pinned:1": 1}, withdrawn=frozenset({1})),
            Drop("pinned:1"),
        ),
        # versions beside that of the policy
        ("the policy's version comes first", BESIDE, versions((3,), named={"challenger": 3}), Load(2)),
        ("then a version is loaded beside it", BESIDE, versions((2,), **SERVING_2), Load(3)),
        (
            "one that serves already need not be loaded again",
            Wishes(also=("2",)),
            versions((2,), **SERVING_2),
            Serve("2", 2),
        ),
        (
            "a canary is loaded as well",
            Wishes.parse("champion", canary="challenger:10%"),
            versions((2,), **SERVING_2),
            Load(3),
        ),
        (
            "a shadow is loaded as well",
            Wishes.parse("champion", shadow="1:10%"),
            versions((2,), **SERVING_2),
            Load(1),
        ),
        (
            "a damaged version beside it has no stand-in",
            BESIDE,
            versions((2,), **SERVING_2, refused=frozenset({3})),
            None,
        ),
        (
            "an alias beside it that moves to a damaged version keeps its sound one",
            BESIDE,
            versions((1, 2), named={"champion": 2, "challenger": 1}, refused=frozenset({3})),
            None,
        ),
        (
            "an alias beside it that vanishes keeps its version",
            BESIDE,
            versions((2, 3), named={"champion": 2, "challenger": 3}, aliases={"champion": 2}),
            None,
        ),
        (
            "a version beside it that is withdrawn is dropped",
            BESIDE,
            versions((2, 3), named={"champion": 2, "challenger": 3}, withdrawn=frozenset({3})),
            Drop("challenger"),
        ),
        # what an operator decides
        ("an operator's load is followed", CHAMPION, versions((2,), **SERVING_2, ordered=(1,)), Load(1)),
        (
            "a load that is ordered no longer is dropped",
            CHAMPION,
            versions((1, 2), named={"champion": 2, "1": 1}),
            Drop("1"),
        ),
        (
            "at an unload of what serves, the history is read",
            CHAMPION,
            versions((2,), **FALLING_BACK),
            ReadHistory("champion"),
        ),
        (
            "then the best earlier version is loaded",
            CHAMPION,
            versions((2,), **FALLING_BACK, moves=promoted(1, 2)),
            Load(1),
        ),
        (
            "then it serves as a stand-in",
            CHAMPION,
            versions((1, 2), **FALLING_BACK, moves=promoted(1, 2)),
            Serve("champion", 1, instead_of=2),
        ),
        (
            "if nothing else can be served, a withdrawn version is dropped all the same",
            CHAMPION,
            versions((2,), **FALLING_BACK, moves=promoted(1, 2), refused=frozenset({1})),
            Drop("champion"),
        ),
        (
            "a withdrawn version is dropped though the repository is away",
            CHAMPION,
            empty(named={"champion": 2}, held={2: "two"}, withdrawn=frozenset({2}), outgrown=True),
            Drop("champion"),
        ),
        (
            "a version that is not withdrawn any more serves again",
            CHAMPION,
            versions((1,), **SERVING_1, moves=promoted(1, 2)),
            Load(2),
        ),
        (
            "when the model is unloaded, every name is dropped",
            BESIDE,
            versions((2, 3), named={"champion": 2, "challenger": 3}, closed=True),
            Drop("champion"),
        ),
        (
            "and the version on probation is released",
            BESIDE,
            versions((1,), before=1, closed=True),
            Release(),
        ),
        ("then nothing is loaded", BESIDE, versions(closed=True, ordered=(1,)), None),
        # falling back to the version on probation
        (
            "a demoted version gives way to the one on probation, without a look at the history",
            CHAMPION,
            versions((1, 2), **FALLING_BACK, before=1),
            Serve("champion", 1, instead_of=2),
        ),
        (
            "and even though the repository is away",
            CHAMPION,
            empty(named={"champion": 2}, held={1: "one", 2: "two"}, withdrawn=frozenset({2}), before=1, outgrown=True),
            Serve("champion", 1),
        ),
        (
            "if the one on probation is withdrawn as well, others stand in",
            CHAMPION,
            versions((1, 2), **FALLING_BACK | {"withdrawn": frozenset({1, 2})}, before=1, moves=promoted(3, 2)),
            Load(3),
        ),
        (
            "a sound champion comes before the one on probation",
            CHAMPION,
            versions((1, 2), **FALLING_BACK | {"aliases": {"champion": 3}}, before=1),
            Load(3),
        ),
        # a pin
        ("a pinned version is loaded before the champion", CHAMPION, versions(pinned=1), Load(1)),
        ("once it is in memory, it takes the calls that name none", CHAMPION, versions((1,), pinned=1), Serve("", 1)),
        (
            "under a pin, the champion is loaded as well",
            CHAMPION,
            versions((1,), named={UNNAMED: 1}, pinned=1),
            Load(2),
        ),
        (
            "under a pin, the champion answers by its name, and there is nothing more to do",
            CHAMPION,
            versions((1, 2), named={UNNAMED: 1, "champion": 2}, pinned=1),
            None,
        ),
        (
            "under a pin, a newer champion takes over its name alone",
            CHAMPION,
            versions((1, 2), named={UNNAMED: 1, "champion": 1}, pinned=1),
            Serve("champion", 2),
        ),
        (
            "another pinned version is loaded while the one before answers",
            CHAMPION,
            versions((1, 2), named={UNNAMED: 1, "champion": 2}, pinned=3),
            Load(3),
        ),
        (
            "a pinned version that is damaged changes nothing",
            CHAMPION,
            versions((1, 2), named={UNNAMED: 1, "champion": 2}, pinned=3, refused=frozenset({3})),
            None,
        ),
        (
            "a pinned version that is damaged at a cold start leaves the calls to the champion",
            CHAMPION,
            versions(pinned=3, refused=frozenset({3})),
            Load(2),
        ),
        (
            "a pinned version that does not fit changes nothing",
            CHAMPION,
            versions((2,), named={"champion": 2}, pinned=3, too_large=frozenset({3})),
            None,
        ),
        (
            "a pinned version comes before the one on probation",
            CHAMPION,
            versions((1, 2), named={"champion": 2}, pinned=3, too_large=frozenset({3}), before=1),
            Release(),
        ),
        (
            "a pinned version whose files are gone goes on",
            CHAMPION,
            Versions((2,), {"champion": 2}, {2: "two"}, held={1: "one", 2: "two"}, pinned=1, **SERVING_2_UNDER_A_PIN),
            None,
        ),
        (
            "a pinned pretrained version is loaded though versions are published",
            CHAMPION,
            versions((2,), **SERVING_2, pretrained=True, pinned=PRETRAINED_NUMBER),
            Load(PRETRAINED_NUMBER),
        ),
        (
            "once a pin has ended, the champion takes the calls",
            CHAMPION,
            versions((1, 2), **SERVING_2_UNDER_A_PIN),
            Drop(UNNAMED),
        ),
        (
            "if the champion is not loaded yet, it is loaded before the pinned version goes",
            CHAMPION,
            versions((1,), named={UNNAMED: 1}),
            Load(2),
        ),
        (
            "if nothing can be served by the policy, the pinned version goes all the same",
            CHAMPION,
            versions((1,), named={UNNAMED: 1}, aliases={}),
            Drop(UNNAMED),
        ),
        (
            "a pinned version goes if the model is unloaded as a whole",
            CHAMPION,
            versions((1,), named={UNNAMED: 1}, pinned=1, closed=True),
            Drop(UNNAMED),
        ),
        # memory
        (
            "if a version does not fit, the one on probation is released",
            CHAMPION,
            versions((1, 3), named={"champion": 3}, before=1, too_large=frozenset({2})),
            Release(),
        ),
        (
            "if it still does not fit, what serves goes on",
            CHAMPION,
            versions((1,), **SERVING_1, too_large=frozenset({2})),
            None,
        ),
        (
            "if the champion does not fit, others are loaded nonetheless",
            BESIDE,
            versions((1,), **SERVING_1, too_large=frozenset({2})),
            Load(3),
        ),
        # the pretrained version
        ("before the first version, the pretrained one is loaded", CHAMPION, empty(), Load(PRETRAINED_NUMBER)),
        (
            "once it is in memory, it serves",
            CHAMPION,
            empty(held={PRETRAINED_NUMBER: ""}),
            Serve("champion", PRETRAINED_NUMBER),
        ),
        ("once it serves, it goes on", CHAMPION, empty(**PRETRAINED), None),
        ("if there is none, there is nothing to do", CHAMPION, empty(pretrained=False), None),
        ("if it is damaged, there is nothing to do", CHAMPION, empty(refused=frozenset({PRETRAINED_NUMBER})), None),
        (
            "if an operator unloads it, it is dropped",
            CHAMPION,
            empty(**PRETRAINED, withdrawn=frozenset({PRETRAINED_NUMBER})),
            Drop("champion"),
        ),
        ("it gives way to the first champion", CHAMPION, versions(**SERVING_1 | PRETRAINED, pretrained=True), Load(2)),
        (
            "it goes on if the first version is not promoted",
            CHAMPION,
            Versions((1,), {}, {1: "one"}, pretrained=True, **PRETRAINED),
            None,
        ),
        ("after a version has served, it does not serve any more", CHAMPION, empty(outgrown=True), None),
        ("it stands in for no alias beside the policy", BESIDE, empty(**PRETRAINED), None),
    ],
)
def test_the_next_action(situation, wishes, found, expected):
    assert next_action(found, wishes) == expected


@pytest.mark.parametrize(
    ("situation", "name", "found", "stay"),
    [
        ("the version that is wanted serves", "champion", versions((2,), **SERVING_2), Stay.AS_WISHED),
        ("the pretrained version serves as it should", "champion", empty(**PRETRAINED), Stay.AS_WISHED),
        ("nothing is promoted", "champion", versions(aliases={}), Stay.NO_TARGET),
        ("the repository is away", "champion", empty(named={"champion": 2}, held={2: "two"}), Stay.NO_TARGET),
        ("the alias beside it does not exist", "challenger", versions(aliases={"champion": 2}), Stay.NO_TARGET),
        (
            "neither the champion nor a stand-in can be served",
            "champion",
            versions(refused=frozenset({1, 2}), moves=()),
            Stay.NONE_SERVABLE,
        ),
        (
            "the version that is pinned cannot be served",
            UNNAMED,
            versions((2,), **SERVING_2, pinned=3, refused=frozenset({3})),
            Stay.NONE_SERVABLE,
        ),
        ("it does not fit", "champion", versions((1,), **SERVING_1, too_large=frozenset({2})), Stay.NO_MEMORY),
        (
            "it was damaged after it was loaded",
            "champion",
            versions((2,), **SERVING_2, refused=frozenset({2})),
            Stay.DAMAGED_SINCE,
        ),
        (
            "its files are gone",
            "champion",
            Versions((2,), {"champion": 2}, held={2: "two"}, **SERVING_2),
            Stay.GONE,
        ),
    ],
)
def test_the_reason_why_nothing_is_to_be_done(situation, name, found, stay):
    assert decide(name, found, BESIDE) is stay
