"""Follows what a repository shows and what was decided: loads what is wanted, and lets it answer."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.artifact.alias import Move
from core.artifact.repository import CHAMPION, Repository, Snapshot
from core.errors import ArtifactError, RepositoryError
from service.errors import NotEnoughMemoryError
from service.loaded import Loaded
from service.observer import Observer
from service.telemetry.once import Once
from service.versions import policy
from service.versions.decisions import Decisions
from service.versions.loader import Loader
from service.versions.routes import Routes
from service.versions.store import Store
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER

__all__ = ["PUBLISH_COMMAND", "Follower"]

PUBLISH_COMMAND = "python -m pipelines retrain"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Held:
    """A version in memory.

    Attributes:
        loaded: The version.
        stamp: What its objects looked like when they were last found to be those that were loaded.
    """

    loaded: Loaded
    stamp: str


class Follower:
    """Lets the store follow. All of it runs in the watcher's thread."""

    def __init__(
        self,
        repository: Repository,
        store: Store,
        once: Once,
        observer: Observer,
        probation: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow nothing yet.

        Args:
            repository: Where versions are published.
            store: What answers calls.
            once: Tells findings.
            observer: Is told of each version that begins to serve, or cannot.
            probation: Seconds for which the version before a newer one is kept in memory, to go back to.
            clock: Seconds.
        """
        self._repository = repository
        self._store = store
        self._once = once
        self._observer = observer
        self._probation = probation
        self._clock = clock
        self._before: tuple[Loaded, float] | None = None  # the version before, and until when it is kept
        self.loader = Loader(store, once, observer)
        self._policy = store.wishes.policy
        self._named: dict[str, Loaded] = {}
        self._held: dict[int, _Held] = {}
        self._asked: dict[str, int] = {}  # what each name stood for when it was followed last
        self._serial = 0  # of the last decision that was followed
        self._snapshot = Snapshot((), {}, "")
        self._withdrawn: dict[int, str] = {}

    def follow(self, snapshot: Snapshot, decisions: Decisions) -> None:
        """Serve what is wanted now.

        Raises:
            RepositoryError: The storage has failed; what could be followed until then was.
        """
        self._snapshot = snapshot
        self._withdrawn = decisions.withdrawn(snapshot.stamps)
        self._hear(decisions)
        if decisions.closed:
            self._named.clear()
            self._before = None
            self._publish("an operator has unloaded the model; have it loaded again")
            return
        extra = tuple(map(str, decisions.loads()))
        for name in self._named.keys() - {*self._store.wishes.names, *extra}:
            del self._named[name]
        self._publish()  # what is known and not loaded yet is not ready, rather than unknown
        postponed: NotEnoughMemoryError | None = None
        for name in dict.fromkeys((*self._store.wishes.names, *extra)):
            try:
                self._follow_name(name)
            except NotEnoughMemoryError as error:
                postponed = error  # others may be smaller, or there already
            finally:
                self._publish()
        if postponed:
            raise postponed

    def _hear(self, decisions: Decisions) -> None:
        for number, decision in decisions.versions.items():
            if decision.serial > self._serial and decision.action in ("load", "retry"):
                self.loader.refusals.pop(number, None)
        self._serial = decisions.serial

    def _follow_name(self, name: str) -> None:
        asked = self._resolved(name)
        if asked is None and not self._must_leave(self._named.get(name)):
            if name == self._policy:
                self._without_champion()
            return
        if asked is not None and asked != self._asked.get(name):
            self._asked[name] = asked
            if asked in self._bad():
                self.loader.say_again(asked, self.going_on())
        while True:
            asked = self._resolved(name) or asked
            current = self._named.get(name)
            wanted = policy.choose(
                champion=asked,
                active=current.number if current else None,
                refused=self.loader.refused(self._snapshot.stamps),
                withdrawn=self._withdrawn,
                fallbacks=self._stand_ins(name, asked, current),
            )
            if wanted is None:
                self._named.pop(name, None)
                if name == self._policy:
                    sentence = "no version can be served; waiting for one that can"
                    self._once.say("unservable", logging.ERROR, sentence)
                return
            if current and wanted == current.number and wanted in self.loader.refused(self._snapshot.stamps):
                return  # its bytes were damaged on disk later: those in memory are sound
            if found := self._obtain(wanted):
                self._let_serve(name, asked, found, current)
                return

    def _must_leave(self, current: Loaded | None) -> bool:
        return current is not None and current.number in self._withdrawn

    def _let_serve(self, name: str, asked: int | None, found: Loaded, current: Loaded | None) -> None:
        if found is current:
            return
        self._named[name] = found
        if name == self._policy:
            newer = current and current.number < found.number and current.number not in self._withdrawn
            self._before = (current, self._clock() + self._probation) if current and newer and self._probation else None
        self._publish()  # from here on it answers
        self._observer.swapped(found)
        if name == self._policy:
            _log.info("serving %s, weights sha256 %s", found.words, found.weights_sha256)
        else:
            _log.info("%s is loaded as %s, weights sha256 %s", found.words, name, found.weights_sha256)
        if asked is not None and found.number != asked:
            what = "champion" if self._policy == CHAMPION else self._policy
            _log.warning("%s stands in for the %s, version %d", found.words, what, asked)

    def _resolved(self, name: str) -> int | None:
        return policy.resolve(name, self._snapshot.versions, self._snapshot.aliases, self._bad())

    def _bad(self) -> frozenset[int]:
        return self.loader.refused(self._snapshot.stamps) | self._withdrawn.keys()

    def _obtain(self, number: int) -> Loaded | None:
        """A version from memory if it is there, else from the repository."""
        stamp = self._snapshot.stamps.get(number, "")
        held = self._held.get(number)
        if held and held.stamp == stamp:
            return held.loaded
        if held and not stamp:
            finding = (
                f"{self._repository.url} does not show what is loaded from it; {held.loaded.words} goes on serving"
            )
            self._once.say(f"gone {number}", logging.WARNING, finding)
            return held.loaded
        if held and not self._replaced(held.loaded):
            self._held[number] = _Held(held.loaded, stamp)
            return held.loaded
        try:
            loaded = self.loader.load(number, stamp, self.going_on())
        except NotEnoughMemoryError:
            if self._before is None:
                raise
            self._let_go()
            loaded = self.loader.load(number, stamp, self.going_on())
        if loaded:
            self._held[number] = _Held(loaded, stamp)
        return loaded

    def _replaced(self, loaded: Loaded) -> bool:
        """Whether the version's number now stands for other weights: a repository that was made anew."""
        try:
            manifest = self._repository.manifest(loaded.number)
        except RepositoryError:
            raise
        except ArtifactError as error:
            self._once.say("active", logging.WARNING, f"{error}; {loaded.words} goes on serving")
            return False
        self._once.resolved("active")
        return manifest != loaded.manifest

    def _without_champion(self) -> None:
        """Leave all as it is; but where nothing was published yet, let the pretrained version begin."""
        active = self._named.get(self._policy)
        url = self._repository.url
        wanted = self._store.has_pretrained and policy.pretrained_serves(
            champion=None, available=self._snapshot.versions, active=active.number if active else None
        )
        if wanted and active:
            return
        if wanted and PRETRAINED_NUMBER not in self._bad() and (found := self._obtain(PRETRAINED_NUMBER)):
            self._let_serve(self._policy, PRETRAINED_NUMBER, found, active)
            meanwhile = "the pretrained version that ships with Numeral serves until one is published"
            _log.warning("repository %s holds no version yet: %s by: %s", url, meanwhile, PUBLISH_COMMAND)
            return
        there = self._repository.exists()
        self.trouble(f"repository {url} " + (f"names no {self._policy}" if there else "is not there"))

    def _stand_ins(self, name: str, asked: int | None, current: Loaded | None) -> Sequence[int]:
        """What may answer in the place of what the policy asks for; other names have no stand-in."""
        leaves = self._must_leave(current)
        if name != self._policy or (current and not leaves) or name.startswith(PINNED):
            return ()
        if leaves and self._before:
            return (self._before[0].number,)  # which is in memory: no storage is needed
        if asked is None or asked not in self._bad():
            return ()
        moves: list[Move] = []
        try:
            moves = [] if name == LATEST else self._repository.alias(name).history()
        except RepositoryError:
            raise
        except ArtifactError as error:  # one damaged move: go by the numbers alone
            self._once.say("history", logging.WARNING, f"the history of {name} cannot be read: {error}")
        return policy.fallbacks(asked, self._snapshot.versions, moves)

    def _publish(self, closed: str = "") -> None:
        """Let calls be answered by what is in memory now; what has no name any more is let go."""
        versions = {loaded.number: loaded for loaded in self._named.values()}
        before = (
            {self._before[0].number: "a newer one serves; it is kept in memory, to go back to"} if self._before else {}
        )
        self._held = {n: held for n, held in self._held.items() if n in versions or n in before}
        reasons = before | self.loader.reasons(self._asked.values()) | self._withdrawn
        self._store.follow(
            Routes(
                dict(self._named),
                versions,
                frozenset(self._snapshot.versions),
                self._snapshot.aliases,
                reasons,
                closed,
            )
        )

    def compared(self) -> list[tuple[Loaded, Loaded]]:
        """Which version is to be judged by which other: the newest by the one before, a canary by the active one."""
        if self._before and self._clock() > self._before[1]:
            self._let_go()
        active = self._named.get(self._policy)
        share = self._store.wishes.canary
        canary = self._named.get(share.name) if share else None
        found = [(active, self._before[0] if self._before else None), (canary, active)]
        return [(new, old) for new, old in found if new and old and new is not old]

    def serving(self) -> list[Loaded]:
        """All that answers calls."""
        return list(self._named.values())

    def stamp(self, loaded: Loaded) -> str:
        """What the objects of a version in memory look like."""
        return self._held[loaded.number].stamp

    def _let_go(self) -> None:
        """The version before is not needed any more; it is freed after its last call."""
        self._before = None
        self._publish()

    def going_on(self) -> str:
        """What serves meanwhile, in words."""
        active = self._named.get(self._policy)
        return f"{active.words} goes on serving" if active else "no version serves yet"

    def trouble(self, finding: str) -> None:
        """Tell of a repository that cannot be followed."""
        hint = self.going_on()
        if self._policy not in self._named:
            hint = f"waiting for a version; one is published by: {PUBLISH_COMMAND}"
        self._once.say("repository", logging.WARNING, f"{finding}; {hint}")
