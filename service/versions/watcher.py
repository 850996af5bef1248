"""Notices what is published, promoted and decided, and has the store follow it."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from core.artifact.repository import Repository, Snapshot
from core.errors import ArtifactError, RepositoryError
from service.observer import Observer
from service.telemetry.once import Once
from service.versions.decisions import DecisionFile, Decisions
from service.versions.fallback import Fallback
from service.versions.findings import Findings
from service.versions.follower import Follower
from service.versions.loader import Loader, fetch
from service.versions.notice import Notice, pause_after
from service.versions.patience import Patience
from service.versions.policy import resolve
from service.versions.storage import STORAGE_SECONDS, Storage
from service.versions.store import Store

__all__ = ["Watcher"]

_NOTHING = Snapshot(versions=(), aliases={}, digest="")
"""What a folder shows that does not exist."""

_log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")


class Watcher:
    """Looks at the repository again and again, from a thread of its own.

    A look that finds nothing new costs one listing. Whatever goes wrong, what is loaded goes on serving, the finding
    is logged once, and the next look follows after the usual pause. Nothing is read in this thread itself, so that a
    storage that hangs does not keep it from following what can be followed.

    Attributes:
        followed: Serial of the last decision that was followed; −1 before the first look.
        trouble: Why the last look did not reach the repository; "" if it did.
    """

    def __init__(
        self,
        repository: Repository,
        store: Store,
        decisions: DecisionFile | None = None,
        observer: Observer | None = None,
        fallback: Fallback | None = None,
        probation: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        pretrained: str | None = None,
        storage_seconds: float = STORAGE_SECONDS,
    ) -> None:
        """Look at nothing yet.

        Args:
            repository: Where versions are published.
            store: What answers calls.
            decisions: What an operator or the service itself has decided; None if nothing ever is.
            observer: Notified of versions that begin to serve, that cannot, and from which the service falls back.
            fallback: Judges new versions; None if none is judged.
            probation: Seconds for which the version before a newer one is kept in memory, to fall back to.
            clock: Gives the time in seconds, for the probation.
            pretrained: URL of the repository whose champion may serve until `repository` holds a version.
            storage_seconds: How long a read may take; see `Storage`.
        """
        self.followed = -1
        self.trouble = "the repository was not looked at yet"
        self._observer = observer or Observer()
        self._fallback = fallback
        self._patience, self._seconds = Patience(), storage_seconds
        self._storage = Storage(repository, self._patience, storage_seconds)
        self._policy = store.wishes.policy
        self._decisions = decisions
        self._once = Once(_log)
        self._findings = Findings(self._storage, store, self._once)
        shipped = Storage(Repository(pretrained), self._patience, storage_seconds) if pretrained else None
        self._loader = Loader(partial(fetch, repository=self._storage, pretrained=shipped), self._once, self._observer)
        self._follower = Follower(
            self._storage,
            store,
            self._loader,
            self._findings,
            self._observer,
            pretrained=shipped is not None,
            probation=probation if fallback else 0.0,
            clock=clock,
        )
        self._decided = Decisions()  # as they were last read
        self._was_there = False  # whether the repository has ever existed
        self._last: Snapshot | None = None  # what the repository showed when it was last reached
        self._seen_at = float("-inf")  # when that was, by the monotonic clock
        self._settled: tuple[str, int] | None = None  # listing and decisions that were followed completely
        self._notice = Notice(repository.location.folder, self._glance)
        # A daemon: a storage that does not answer for minutes must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._interval = 0.0
        self._after_look: Callable[[], object] = lambda: None

    def start(self, interval: float, after_look: Callable[[], object]) -> None:
        """Begin to look.

        Args:
            interval: Longest pause between two looks, in seconds; a change in a local folder ends it earlier.
            after_look: Called from the watcher's thread after each look.
        """
        self._interval, self._after_look = interval, after_look
        self._notice.start()
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Stop looking; waits at most `timeout` seconds for a look that is under way."""
        self._notice.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if self._decisions:
            self._decisions.leave()

    def _run(self) -> None:
        going_on = True
        while going_on:
            pause = self._interval
            try:
                done = self.look()
                self._after_look()
                pause = pause_after(self._storage.listing_seconds, self._interval) if done else 0.0
            except BaseException as error:  # noqa: BLE001 — a dead watcher would go unnoticed
                finding = "the watcher met an unforeseen error, and goes on"
                self._once.say(type(error).__name__, logging.ERROR, finding, exc_info=error)
            going_on = self._notice.wait(pause)

    def _glance(self) -> bool:
        """Whether there is a new decision to follow; quick, as it is called ten times a second."""
        try:
            self.judge()
        except Exception as error:  # noqa: BLE001 — as in `_run`, which this would end
            self._once.say("judge", logging.ERROR, "new versions cannot be judged", exc_info=error)
        decisions = self._decisions
        return decisions is not None and self._of_decisions(decisions.look_different, instead=False)

    def _of_decisions(self, work: Callable[[], T], *, instead: U) -> T | U:
        """What a piece of work on the decision file gives; something else if the run folder does not answer."""
        try:
            found = self._patience.run("the decisions in the run folder", work, self._seconds)
        except (OSError, RepositoryError) as error:
            self._findings.decisions_out_of_reach(error)
            return instead
        self._once.resolved("decisions")
        return found

    def judge(self) -> None:
        """Fall back from a version that does much worse than the one before: a decision that all processes follow."""
        if self._fallback is None or self._decisions is None:
            return
        pairs = self._follower.compared()
        for new, before in pairs:
            if reason := self._fallback.verdict(new, before):
                decide = partial(_demoted, new.number, reason, self._follower.stamp(new))
                if self._of_decisions(partial(self._decisions.change, decide), instead=None):
                    _log.error("%s: %s", new.words, reason)
                    self._observer.fell_back(new.version, before.version)
        self._fallback.forget([loaded for pair in pairs for loaded in pair] + self._follower.serving())

    def look(self) -> bool:
        """Look once, and follow what is found; an unreachable repository is logged, not raised.

        Returns:
            Whether everything that was found is followed; otherwise the next look goes on with it.
        """
        if self._decisions:
            self._decided = self._of_decisions(self._decisions.read, instead=self._decided)
        decisions, reached, done, there = self._decided, True, True, False
        try:
            found = self._storage.snapshot()
            # A folder that was never there is yet to be made; one that has vanished is a disk that is away.
            self._was_there = self._was_there or found is not None
            there = found is not None or not self._was_there
            self.trouble = "" if there else f"repository {self._storage.url} is gone; is the disk still mounted?"
            self._last, self._seen_at = found or _NOTHING, time.monotonic()
            self._findings.faults(self._last.faults)
        except ArtifactError as error:
            ago = f"; it was last seen {time.monotonic() - self._seen_at:.0f} s ago" if self._last else ""
            self.trouble = f"{error}{ago}"
            self._findings.trouble(self.trouble)
            reached = False  # decisions are followed all the same, as far as what is in memory allows
        self._looked(reached=there)
        seen = self._last
        if self._loader.forgive_answered():
            self._settled = None
        new = seen is not None and (seen.digest, decisions.serial) != self._settled
        if seen is not None and new and (reached or decisions.serial != self.followed):
            try:
                done = self._follower.follow(seen, decisions)
                self._settled = (seen.digest, decisions.serial) if done else None
            except ArtifactError as error:
                self._findings.trouble(str(error))
                reached = False
        if reached and seen is not None and self._has_target(seen) and self._once.resolved("repository"):
            _log.info("repository %s: %s can be followed again", self._storage.url, self._policy)
        if done:
            self._acknowledge(decisions.serial)
        return done

    def _looked(self, *, reached: bool) -> None:
        faults = len(self._last.faults) if self._last else 0
        self._observer.looked(reached=reached, faults=faults, hanging=self._patience.hanging)

    def _has_target(self, seen: Snapshot) -> bool:
        """Whether the policy stands for a version: as long as it does not, there is nothing to follow."""
        return resolve(self._policy, seen.versions, seen.aliases) is not None

    def _acknowledge(self, serial: int) -> None:
        if self._decisions and serial != self.followed:
            self._of_decisions(partial(self._decisions.followed, serial), instead=None)
        self.followed = serial


def _demoted(number: int, reason: str, stamp: str, now: Decisions) -> Decisions:
    """The decisions with this version withdrawn; as they are if it was withdrawn already, or pinned meanwhile."""
    known = now.versions.get(number)
    already = known is not None and known.action == "demote" and known.stamp == stamp
    return now if already or now.pinned == number else now.add("demote", number, reason=reason, stamp=stamp)
