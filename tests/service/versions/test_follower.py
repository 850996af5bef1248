"""Whatever the repository shows, the operator decides and the storage does: following it ends, and ends well."""

import logging
import weakref
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.artifact.alias import Move
from core.artifact.repository import Snapshot
from core.errors import DamagedVersionError, ManifestError, RepositoryError
from service.errors import NotEnoughMemoryError
from service.loaded import Loaded, label
from service.observer import Observer
from service.telemetry.once import Once
from service.versions import follower as follower_module
from service.versions.actions import Action, Drop, Load, ReadHistory, Release, Serve, Verify, Versions
from service.versions.decisions import Decision, Decisions
from service.versions.findings import Findings
from service.versions.follower import Follower
from service.versions.loader import Loader
from service.versions.policy import resolve
from service.versions.store import Store
from service.wishes import LATEST, PRETRAINED_NUMBER, UNNAMED, Wishes

NUMBERS = range(1, 5)
NAMES = ("champion", "challenger")


@dataclass(frozen=True)
class Published:
    """One version in the repository.

    Attributes:
        weights: Which weights it has.
        report: Which report lies beside them.
        condition: `sound`; `damaged`, where its weights fail their check; `unreadable`, where its manifest is no JSON;
            `out of reach`, where the storage fails when it is read.
    """

    weights: int
    report: int
    condition: str

    @property
    def stamp(self) -> str:
        damage = self.condition if self.condition in ("damaged", "unreadable") else ""
        return f"{self.weights} {self.report} {damage}"


@dataclass(frozen=True)
class Scene:
    """What the storage holds, what was decided and how much memory there is, at one look."""

    published: dict[int, Published]
    aliases: dict[str, int]
    history: tuple[int, ...] | None  # None: it cannot be read
    actions: dict[int, str]
    closed: bool
    room: int
    pinned: int | None = None

    @property
    def snapshot(self) -> Snapshot:
        stamps = {number: each.stamp for number, each in self.published.items()}
        return Snapshot(tuple(sorted(self.published)), self.aliases, "", stamps)

    def decisions(self, serial: int) -> Decisions:
        stamps = self.snapshot.stamps
        return Decisions(
            serial,
            self.closed,
            {n: Decision(action, serial, "decided", stamps.get(n, "")) for n, action in self.actions.items()},
            # To unload a pinned version ends its pin, and the service falls back from no pinned one.
            None if self.actions.get(self.pinned, "") in ("unload", "demote") else self.pinned,
        )


published = st.builds(
    Published,
    st.integers(0, 1),
    st.integers(0, 1),
    st.sampled_from(["sound"] * 4 + ["damaged", "unreadable", "out of reach"]),
)
scenes = st.builds(
    Scene,
    st.dictionaries(st.sampled_from(NUMBERS), published),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*NUMBERS, 9])),
    st.none() | st.lists(st.sampled_from(NUMBERS), max_size=4).map(tuple),
    st.dictionaries(
        st.sampled_from([PRETRAINED_NUMBER, *NUMBERS]),
        st.sampled_from(["load", "unload", "retry", "demote"]),
        max_size=2,
    ),
    st.sampled_from([False, False, False, True]),
    st.integers(1, 6),
    st.none() | st.sampled_from([PRETRAINED_NUMBER, *NUMBERS, 9]),
)
wishes = st.sampled_from(
    [
        Wishes(),
        Wishes(LATEST),
        Wishes("pinned:2"),
        Wishes(also=("challenger", "3")),
        Wishes.parse("champion", canary="challenger:10%", shadow="1:10%"),
    ]
)


@dataclass
class Storage:
    """Stands in for the repository and for what is fetched from it. Memory is as many copies as `scene.room` says."""

    scene: Scene
    url: str = "file:///nowhere"
    copies: list[weakref.ref] = field(default_factory=list)

    def exists(self) -> bool:
        return bool(self.scene.published)

    def manifest(self, number: int, stamp: str) -> int:
        found = self.scene.published[number]
        if found.condition == "out of reach":
            raise RepositoryError("the network is down")
        if found.condition == "unreadable":
            raise ManifestError("not a manifest")
        return found.weights

    def history(self, alias: str) -> list[Move]:
        if self.scene.history is None:
            raise RepositoryError("the network is down")
        now = datetime.now(UTC)
        return [Move(version=n, previous=None, at=now, by="tests", why="at random") for n in self.scene.history]

    def fetch(self, number: int, *, stamp: str = "") -> Loaded:
        if number != PRETRAINED_NUMBER and number not in self.scene.published:
            raise DamagedVersionError("there is no such version")
        weights = self.manifest(number, stamp) if number != PRETRAINED_NUMBER else 0
        if sum(copy() is not None for copy in self.copies) >= self.scene.room:
            raise NotEnoughMemoryError("it does not fit")
        if number != PRETRAINED_NUMBER and self.scene.published[number].condition == "damaged":
            raise DamagedVersionError("its digest is another")
        loaded = Loaded(None, weights, number, label(number), f"{weights}", framing=1)
        self.copies.append(weakref.ref(loaded))
        return loaded


@dataclass
class Trace:
    """What was decided in one `follow`: each time, what there was and what was to be done."""

    steps: list[tuple[Versions, Action | None]] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        return [action for _, action in self.steps if action]


class Following:
    """A real follower, loader and store over a storage that is made up."""

    def __init__(self, first: Scene, wishes: Wishes, *, pretrained: bool, probation: float) -> None:
        self.storage = Storage(first)
        self.wishes = wishes
        self.store = Store(self.storage.url, wishes)
        once = Once(logging.getLogger(__name__))
        self.follower = Follower(
            self.storage,
            self.store,
            Loader(self.storage.fetch, once, Observer()),
            Findings(self.storage, self.store, once),
            Observer(),
            pretrained=pretrained,
            probation=probation,
        )

    def look(self, scene: Scene, serial: int) -> tuple[Trace, Exception | None]:
        """Follow a scene to its end, and tell how, and how it ended."""
        trace = Trace()

        def next_action(versions: Versions, wishes: Wishes) -> Action | None:
            action = truly(versions, wishes)
            trace.steps.append((versions, action))
            assert len(trace.steps) <= most(versions, wishes), "it does not end"
            return action

        self.storage.scene = scene
        truly = follower_module.next_action
        follower_module.next_action = next_action
        try:
            self.follower.follow(scene.snapshot, scene.decisions(serial))
        except (RepositoryError, NotEnoughMemoryError) as error:
            return trace, error
        finally:
            follower_module.next_action = truly
        return trace, None

    def serving(self) -> dict[str, tuple[int, int]]:
        """Number and weights of what answers under each name."""
        names = {UNNAMED, *self.wishes.names, *map(str, NUMBERS)}
        return {name: (found.number, found.manifest) for name in names if (found := self.store.named(name))}


def most(versions: Versions, wishes: Wishes) -> int:
    """How many decisions there are at most, as the docstring of `next_action` argues."""
    numbers = {PRETRAINED_NUMBER, 9, *NUMBERS}
    names = {*versions.names(wishes), *versions.named, *wishes.names, *map(str, numbers)}
    history, releases, unpinned, end = 1, 3, 1, 1
    verified_and_loaded = len(numbers) * (1 + 1 + releases + unpinned)
    served_and_dropped = 2 * len(names)
    return history + releases + verified_and_loaded + served_and_dropped + end


@given(looks=st.lists(scenes, min_size=1, max_size=4), wishes=wishes, pretrained=st.booleans(), kept=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_following_ends_and_is_stable_serves_what_is_sound_and_drops_nothing_else(looks, wishes, pretrained, kept):
    following = Following(looks[0], wishes, pretrained=pretrained, probation=600.0 if kept else 0.0)
    for serial, scene in enumerate(looks, 1):
        trace, error = following.look(scene, serial)
        nothing_is_dropped_without_need(trace, wishes)
        if isinstance(error, RepositoryError):
            continue
        what_is_sound_serves(following, scene, serial)
        if error is None:
            nothing_withdrawn_serves(following, scene, serial)
            it_is_stable(following, scene, serial)


def nothing_is_dropped_without_need(trace: Trace, wishes: Wishes) -> None:
    for (versions, action), (after, _) in pairwise(trace.steps):
        lost = versions.named.keys() - after.named.keys()
        if lost:
            assert isinstance(action, Drop)
        for name in lost:
            withdrawn = versions.named[name] in versions.withdrawn
            assert withdrawn or versions.closed or name not in versions.names(wishes)


def what_is_sound_serves(following: Following, scene: Scene, serial: int) -> None:
    wanted = following.wishes.names if not scene.closed else ()
    withdrawn = scene.decisions(serial).withdrawn(scene.snapshot.stamps)
    too_large = following.follower._too_large
    for name in wanted:
        target = resolve(name, scene.published, scene.aliases)
        found = scene.published.get(target)
        if found and found.condition == "sound" and target not in withdrawn and target not in too_large:
            assert following.serving()[name] == (target, found.weights)
    pinned = scene.decisions(serial).pinned
    found = scene.published.get(pinned)
    if not scene.closed and found and found.condition == "sound" and pinned not in too_large:
        active = following.store.choose()
        assert (active.number, active.manifest) == following.serving()[UNNAMED] == (pinned, found.weights)
        assert following.store.pinned() == f"{pinned}"
    if scene.closed:
        assert following.serving() == {}
        assert not following.store.ready()


def nothing_withdrawn_serves(following: Following, scene: Scene, serial: int) -> None:
    withdrawn = scene.decisions(serial).withdrawn(scene.snapshot.stamps)
    assert not {number for number, _ in following.serving().values()} & withdrawn.keys()


def it_is_stable(following: Following, scene: Scene, serial: int) -> None:
    before = following.serving()
    trace, error = following.look(scene, serial)
    assert error is None
    assert {type(action) for action in trace.actions} <= {ReadHistory}
    assert following.serving() == before


SOUND = {number: Published(0, 0, "sound") for number in NUMBERS}
DAMAGED = Published(0, 0, "damaged")


def test_a_version_that_finds_no_room_is_loaded_once_the_one_on_probation_is_freed():
    looks = [Scene(SOUND, {"champion": number}, (), {}, False, 2) for number in (1, 2, 3)]
    following = Following(looks[0], Wishes(), pretrained=False, probation=600.0)
    traces = [following.look(scene, serial) for serial, scene in enumerate(looks, 1)]
    assert [error for _, error in traces] == [None] * 3
    assert traces[-1][0].actions == [Load(3), Release(), Load(3), Serve("champion", 3)]


def test_the_history_of_an_alias_is_read_anew_at_each_look():
    damaged = {1: DAMAGED, 2: DAMAGED}
    looks = [
        Scene(damaged, {"champion": 2}, (1, 2), {}, False, 6),
        Scene(damaged | {3: SOUND[3]}, {"champion": 2}, (1, 3, 2), {}, False, 6),
    ]
    following = Following(looks[0], Wishes(), pretrained=False, probation=0.0)
    for serial, scene in enumerate(looks, 1):
        following.look(scene, serial)
    assert following.serving() == {"champion": (3, 0)}


@pytest.mark.parametrize("kind", [Drop, Load, ReadHistory, Release, Serve, Verify])
def test_every_action_occurs_among_the_scenes(kind):
    """The property would prove little of an action that never occurs."""
    looks = [
        Scene(SOUND, {"champion": 1, "challenger": 4}, (1,), {}, False, 6),
        Scene(SOUND, {"champion": 2, "challenger": 4}, (1, 2), {}, False, 3),
        Scene(SOUND, {"champion": 2, "challenger": 3}, (1, 2), {}, False, 3),
        Scene(SOUND | {2: Published(1, 0, "sound")}, {"champion": 2}, (1, 2), {}, False, 6),
        Scene(SOUND, {"champion": 2}, (1, 2), {2: "unload"}, False, 6),
        Scene(SOUND, {"champion": 2}, (1, 2), {}, True, 6),
    ]
    following = Following(looks[0], Wishes(also=("challenger",)), pretrained=False, probation=600.0)
    traces = [following.look(scene, serial)[0] for serial, scene in enumerate(looks, 1)]
    assert any(isinstance(action, kind) for trace in traces for action in trace.actions)
