"""Follows what a repository shows and what was decided: does what `next_action` says until there is nothing to do."""

import time
from collections.abc import Callable, Sequence

from core.artifact.alias import Move
from core.artifact.repository import Snapshot
from core.errors import ArtifactError, RepositoryError
from service.errors import NotEnoughMemoryError
from service.loaded import Loaded
from service.observer import Observer
from service.versions.actions import Action, Drop, Load, ReadHistory, Release, Serve, Verify, Versions, next_action
from service.versions.decisions import Decisions
from service.versions.findings import Findings
from service.versions.holdings import Before, Holdings
from service.versions.loader import Loader
from service.versions.routes import Routes
from service.versions.storage import Storage
from service.versions.store import Store
from service.wishes import PRETRAINED_NUMBER, UNNAMED

__all__ = ["Follower"]

AT_A_STRETCH = 1.0
"""Seconds after which following pauses for another look."""

_CLOSED = "an operator has unloaded the model; load it again with RepositoryModelLoad"
_ON_PROBATION = "replaced by a newer version, and kept in memory in case the service falls back to it"


class Follower:
    """Keeps the store's routes as they are wished. All of it runs in the watcher's thread."""

    def __init__(
        self,
        repository: Storage,
        store: Store,
        loader: Loader,
        findings: Findings,
        observer: Observer,
        *,
        pretrained: bool = False,
        probation: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow nothing yet.

        Args:
            repository: Where versions are published.
            store: Answers calls; its wishes are followed.
            loader: Brings versions into memory.
            findings: Logs what is found.
            observer: Notified of each version that begins to serve.
            pretrained: Whether there is a pretrained version.
            probation: Seconds for which the version before a newer one is kept in memory, to fall back to.
            clock: Gives the time in seconds.
        """
        self._repository = repository
        self._store = store
        self._wishes = store.wishes
        self._loader = loader
        self._findings = findings
        self._observer = observer
        self._pretrained = pretrained
        self._probation = probation
        self._clock = clock
        self._snapshot = Snapshot((), {}, "")
        self._decisions = Decisions()
        self._memory = Holdings()
        self._outgrown = False  # whether a version of the repository has served
        self._asked: dict[str, int] = {}  # what each name stood for when it was last followed
        # What was found out about the present snapshot:
        self._moves: Sequence[Move] | None = None
        self._too_large: dict[int, NotEnoughMemoryError] = {}

    def follow(self, snapshot: Snapshot, decisions: Decisions) -> bool:
        """Serve what is wanted now.

        Returns:
            Whether that is all. If many versions are to be loaded, the repository is looked at in between, so that
            what is promoted meanwhile need not wait for all of them.

        Raises:
            RepositoryError: The storage has failed; what could be done until then was done.
            NotEnoughMemoryError: A version does not fit into memory; everything else was done.
        """
        self._loader.forgive(decisions.to_be_tried(since=self._decisions.serial))
        self._snapshot, self._decisions = snapshot, decisions
        self._moves, self._too_large = None, {}
        self._say_again_what_is_refused()
        self._publish()  # what exists and is not loaded yet is not ready, rather than unknown
        begin = self._clock()
        while action := next_action(self._versions(), self._wishes):
            try:
                self._act(action)
            finally:
                self._publish()
            # A version that is in memory is served first: otherwise it might be freed.
            if isinstance(action, Serve) and self._clock() - begin > AT_A_STRETCH:
                return False
        self._findings.settled(self._versions())
        if self._too_large:
            raise next(iter(self._too_large.values()))
        return True

    def _versions(self) -> Versions:
        """Everything that decides what to do next."""
        snapshot, decisions, memory = self._snapshot, self._decisions, self._memory
        return Versions(
            available=snapshot.versions,
            aliases=snapshot.aliases,
            stamps=snapshot.stamps,
            moves=self._moves,
            pretrained=self._pretrained,
            held={number: held.stamp for number, held in memory.held.items()},
            named={name: loaded.number for name, loaded in memory.named.items()},
            outdated=memory.outdated(),
            before=memory.before.loaded.number if memory.before else None,
            outgrown=self._outgrown,
            refused=self._loader.refused(snapshot.stamps),
            too_large=frozenset(self._too_large),
            withdrawn=frozenset(decisions.withdrawn(snapshot.stamps)),
            ordered=decisions.loads(),
            pinned=decisions.pinned,
            closed=decisions.closed,
        )

    def _act(self, action: Action) -> None:
        match action:
            case Load(number):
                self._load(number)
            case Verify(number):
                self._verify(number)
            case ReadHistory(alias):
                self._read_history(alias)
            case Serve():
                self._serve(action)
            case Drop(name):
                self._drop(name)
            case Release():
                self._memory.release()
                self._too_large.clear()  # there is more room now

    def _load(self, number: int) -> None:
        self._publish(loading=number)
        stamp = self._snapshot.stamps.get(number, "")
        try:
            loaded = self._loader.load(number, stamp, self._findings.going_on())
        except NotEnoughMemoryError as error:
            self._too_large[number] = error
            return
        if loaded:
            self._memory.add(loaded, stamp)

    def _verify(self, number: int) -> None:
        """A repository that was made anew has other weights under the same number; or only a report has changed."""
        loaded = self._memory.held[number].loaded
        same = True  # as long as nothing better is known
        try:
            same = self._repository.manifest(number, self._snapshot.stamps[number]) == loaded.manifest
            self._findings.readable_manifest()
        except RepositoryError:
            raise
        except ArtifactError as error:
            self._findings.unreadable_manifest(loaded, error)
        if same:
            self._memory.verified(number, self._snapshot.stamps[number])
        else:
            self._memory.replaced(number)

    def _read_history(self, alias: str) -> None:
        self._moves = self._repository.history(alias)

    def _serve(self, action: Serve) -> None:
        before = self._memory.before
        if action.name == self._wishes.policy:
            before = self._to_fall_back_to(self._memory.named.get(action.name), action.number)
        if action.name in (self._wishes.policy, UNNAMED):
            self._outgrown = self._outgrown or action.number != PRETRAINED_NUMBER
        loaded = self._memory.name(action.name, action.number, before)
        self._publish()  # from here on it answers
        self._observer.swapped(loaded)
        self._findings.serving(action, loaded)

    def _drop(self, name: str) -> None:
        dropped, before = self._memory.named[name], self._memory.before
        if name != UNNAMED or self._decisions.closed:
            self._memory.drop(name, before)
            return
        # The pin has ended. What the policy serves takes all calls now, as a version does that was just promoted.
        taking = self._memory.named.get(self._wishes.policy)
        if taking:
            before = self._to_fall_back_to(dropped, taking.number) or before
        self._memory.drop(name, before)
        self._too_large.clear()  # there may be more room now
        self._publish()
        if taking:
            self._observer.swapped(taking)
        self._findings.unpinned(dropped, self._decisions.withdrawn(self._snapshot.stamps).get(dropped.number, ""))

    def _to_fall_back_to(self, current: Loaded | None, number: int) -> Before | None:
        """The version that has served until now, if a newer one takes its place and it may serve again."""
        if current is None or current.number >= number or not self._probation:
            return None
        if current.number in self._decisions.withdrawn(self._snapshot.stamps):
            return None
        return Before(current, self._clock() + self._probation)

    def _publish(self, loading: int | None = None) -> None:
        """Answer calls by what is in memory now."""
        versions, before = self._versions(), self._memory.before
        reasons = {before.loaded.number: _ON_PROBATION} if before else {}
        reasons |= self._snapshot.unreadable
        reasons |= self._loader.reasons({versions.target(name) for name in versions.names(self._wishes)})
        reasons |= self._decisions.withdrawn(self._snapshot.stamps)
        self._store.follow(
            Routes(
                self._repository.url,
                self._wishes.policy,
                named=dict(self._memory.named),
                known=frozenset(self._snapshot.versions),
                aliases=self._snapshot.aliases,
                pinned=self._decisions.pinned,
                pretrained=self._pretrained,
                reasons=reasons,
                closed=_CLOSED if self._decisions.closed else "",
                loading=loading,
                stamps=self._snapshot.stamps,
            )
        )

    def _say_again_what_is_refused(self) -> None:
        """Where a name newly stands for a version that was refused before, log once more why."""
        versions = self._versions()
        for name in versions.names(self._wishes):
            target = versions.target(name)
            if target is not None and target != self._asked.get(name):
                self._asked[name] = target
                if target in versions.bad:
                    self._loader.say_again(target, self._findings.going_on())

    def compared(self) -> list[tuple[Loaded, Loaded]]:
        """Which version is to be judged by which other: the newest by the one before, a canary by the active one.

        A pinned version is judged by none, as an operator has decided for it; and none is judged by a version that must
        not serve, as there would be nothing to fall back to.
        """
        memory, canary = self._memory, self._wishes.canary
        if memory.before and self._clock() > memory.before.until:
            memory.release()
            self._publish()
        active = memory.named.get(self._wishes.policy)
        pairs = [
            (active, memory.before.loaded if memory.before else None),
            (memory.named.get(canary.name) if canary else None, active),
        ]
        pinned, withdrawn = self._decisions.pinned, self._decisions.withdrawn(self._snapshot.stamps)
        return [
            (new, old)
            for new, old in pairs
            if new and old and new is not old and new.number != pinned and old.number not in withdrawn
        ]

    def serving(self) -> list[Loaded]:
        """All versions that answer calls."""
        return list(self._memory.named.values())

    def stamp(self, loaded: Loaded) -> str:
        """The stamp of a version's objects; if its number stands for other weights now, that of theirs."""
        held = self._memory.held.get(loaded.number)
        return held.stamp if held else self._snapshot.stamps.get(loaded.number, "")
