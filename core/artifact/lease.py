"""The lease of a repository: only one retraining works for it at a time, on one machine or on several.

    <repository>/<name>/lease/000007.json      the seventh entry of the log; the highest number says how things stand

Taking, renewing and releasing each append an entry, created only if absent, so that two processes cannot both do so, as
for an alias: local disks have no conditional update. The number of the entry that took the lease is its *token*: it
only grows, so that a holder which was overtaken can be told from the one that overtook it.

A lease ends by being released, or when its holder dies. A holder on the same machine is asked for; one elsewhere has to
renew its entry. Clocks may be wrong and may jump, so no local clock is compared with another machine's:

- The age of the last entry is the difference of two times that the *store* noted: that of the entry, and that of a
  probe which whoever wants the lease writes beside it.
- An entry is also watched for a while by the watcher's own monotonic clock. A holder that lives renews within that
  time, so a clock that jumps forward takes no lease from it. If the clock has jumped back, watching it alone is enough,
  but has to last as long as the lease.

What is guaranteed: at most one process at a time *believes* to hold the lease, as long as none is suspended for longer
than its lease lasts. What is not: that a process which is suspended right behind its last check does nothing later on.
So whatever a holder does last must be conditional by itself, as a move of an alias is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.artifact.holder import Holder
from core.artifact.lease_log import Action, Entry, Found, LeaseLog
from core.artifact.objects import Objects
from core.errors import LeaseLostError

__all__ = ["RENEWALS", "SECONDS", "Grant", "Lease"]

SECONDS = 120.0
"""How long a lease lasts that is not renewed. Its holder renews it four times as often."""

RENEWALS = 4
"""How often a holder renews its lease before it would expire."""


@dataclass
class _Watched:
    """The last entry of another process, and since when it has been the last, by our own monotonic clock."""

    number: int
    since: float


@dataclass(frozen=True)
class Grant:
    """The right to work for a repository. It may be lost: `check` before anything that only its holder may do."""

    token: int
    since: datetime
    _lease: "Lease" = field(repr=False)

    def check(self) -> None:
        """Make sure that nobody has taken the lease over.

        Raises:
            LeaseLostError: Another process has it, or its entries were removed.
            RepositoryError: The storage has failed.
        """
        self._lease.require(self)

    def renew(self) -> None:
        """Let the lease last from now on for as long as a new one. Errors as for `check`."""
        self._lease.append(self, "renew")

    def release(self) -> None:
        """Give the lease up; a no-op if it is lost already."""
        try:
            self._lease.append(self, "release")
        except LeaseLostError:
            return


class Lease:
    """The lease of one model, as one process sees it. One thread at a time may try to take it."""

    def __init__(
        self,
        objects: Objects,
        model: str,
        *,
        seconds: float = SECONDS,
        holder: Holder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read or written yet.

        Args:
            objects: Where versions are published; must be writable.
            model: The name under which they are published.
            seconds: How long the lease lasts unless it is renewed.
            holder: Who wants it; by default this process.
            clock: Seconds that never go back.
        """
        self.seconds = seconds
        self._log = LeaseLog(objects, f"{model}/lease")
        self._holder = holder or Holder.of_this_process()
        self._clock = clock
        self._watched = _Watched(0, 0.0)

    @property
    def url(self) -> str:
        """The repository's."""
        return self._log.url

    def holder(self) -> Entry | None:
        """The last entry of the process that has the lease; None if nobody has, as far as is known. Reads only."""
        last = self._log.last()
        entry = last.entry if last else None
        return None if entry is None or entry.action == "release" or entry.holder.is_dead() else entry

    def is_free(self) -> bool:
        """Whether `take` would get it now. It is not taken; as for `take`, ask again and again."""
        last = self._log.last()
        return last is None or self._may_follow(last)

    def take(self) -> Grant | None:
        """Take the lease if it is free, if its holder has died, or if it has expired.

        Whoever wants it asks again and again: a holder on another machine has expired only once it has been watched
        for a while.

        Returns:
            None if another process has it.
        """
        last = self._log.last()
        if last and not self._may_follow(last):
            return None
        grant = Grant((last.number if last else 0) + 1, datetime.now(UTC), self)
        if not self._log.create(grant.token, self._entry(grant, "take")):
            return None
        # The log is cleaned up at its beginning, so that a process which was suspended for long may have created an
        # entry that is not the last.
        newest = self._log.last()
        if newest is None or newest.number != grant.token:
            self._log.delete(grant.token)
            return None
        self._log.clean(grant.token)
        return grant

    def require(self, grant: Grant) -> int:
        """The number of the last entry, which must be one of this grant's. Errors as for `Grant.check`."""
        last = self._log.last()
        entry = last.entry if last else None
        # The time as well: numbers begin again if somebody has removed the whole log.
        mine = entry and (entry.token, entry.since) == (grant.token, grant.since) and entry.action != "release"
        if last is None or not mine:
            raise LeaseLostError(f"the lease of {self.url} was lost: {self._why_lost(grant, entry, last is None)}")
        return last.number

    def append(self, grant: Grant, action: Action) -> None:
        """Write the next entry of a grant. Errors as for `Grant.check`."""
        number = self.require(grant) + 1
        created = self._log.create(number, self._entry(grant, action))
        if action == "renew" or not created:  # if another process was faster, its entry says who it is
            self.require(grant)
        self._log.clean(number)

    def _why_lost(self, grant: Grant, entry: Entry | None, removed: bool) -> str:
        """Why a grant is none any more, given the last entry of the log."""
        if removed:
            return "its log was removed, and with it the proof who has it; this run changes nothing any more; run again"
        if entry is None:
            return "the last entry of its log is damaged; this run changes nothing any more; run again"
        if (entry.token, entry.since) == (grant.token, grant.since):
            return "this run has released it itself, and changes nothing any more"
        since = f"{entry.since:%Y-%m-%d %H:%M:%S} UTC"
        taken = f"{entry.holder} has it since {since}"
        if entry.action == "release":
            taken = f"{entry.holder} took it over at {since} and has released it"
        return f"{taken}; this run was suspended or cut off for too long, and changes nothing any more"

    def _may_follow(self, last: Found) -> bool:
        """Whether the lease is free, or may be taken from whoever wrote the last entry."""
        entry = last.entry
        if entry and (entry.action == "release" or entry.holder.is_dead()):
            return True
        now = self._clock()
        if self._watched.number != last.number:
            self._watched = _Watched(last.number, now)
        lasts = entry.seconds if entry else self.seconds
        watched = now - self._watched.since
        if watched >= lasts:
            return True
        renewed_within = 2 * lasts / RENEWALS
        if last.stored is None or watched < renewed_within:
            return False
        return self._log.age(last.stored) > timedelta(seconds=lasts + renewed_within)

    def _entry(self, grant: Grant, action: Action) -> Entry:
        return Entry(
            action=action,
            holder=self._holder,
            token=grant.token,
            since=grant.since,
            at=datetime.now(UTC),
            seconds=self.seconds,
        )
