"""Taking turns: a retraining works under the lease of its repository, so that there is one at a time everywhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Self

from core.artifact.lease import RENEWALS, Grant, Lease
from core.errors import LeaseHeldError, LeaseLostError, RepositoryError

POLL_SECONDS = 2.0
"""How often a run that waits looks whether it is its turn; more often if the lease is short."""


class Turn:
    """The turn of one run. Its lease is renewed by a thread of its own, while others train."""

    def __init__(self, grant: Grant, every: float, say: Callable[[str], None]) -> None:
        """Nothing is renewed yet.

        Args:
            grant: The lease as it was taken.
            every: Seconds between two renewals.
            say: Receives each message.
        """
        self.grant = grant
        self._every = every
        self._say = say
        self._over = Event()
        self._thread = Thread(target=self._renew, name="lease", daemon=True)

    def check(self) -> None:
        """Make sure that it is still this run's turn: right before it changes what others rely on.

        Raises:
            LeaseLostError: Another run has taken the lease over.
            RepositoryError: The storage has failed.
        """
        self.grant.check()

    @contextmanager
    def kept(self) -> Iterator[Self]:
        """Renew the lease until the block ends; then release it."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()
            try:
                self.grant.release()
            except RepositoryError as error:  # it expires by itself; what the run has done is done
                self._say(f"the lease could not be released, and will expire: {error}")

    def _renew(self) -> None:
        failing = False
        while not self._over.wait(self._every):
            try:
                self.grant.renew()
                failing = False
            except LeaseLostError as error:
                self._say(str(error))
                return
            except RepositoryError as error:
                if not failing:
                    self._say(f"the lease could not be renewed, which is tried again: {error}")
                failing = True


@contextmanager
def turn(lease: Lease, wait: float, say: Callable[[str], None]) -> Iterator[Turn]:
    """Wait for the lease of a repository, and hold it while the block runs.

    Args:
        lease: The lease.
        wait: How many seconds to wait at most, if another run has it.
        say: Receives each message.

    Raises:
        LeaseHeldError: Another run still has it after that time.
        RepositoryError: The repository cannot be read or written.
    """
    with Turn(_granted(lease, wait, say), lease.seconds / RENEWALS, say).kept() as mine:
        yield mine


def _granted(lease: Lease, wait: float, say: Callable[[str], None]) -> Grant:
    deadline, said = time.monotonic() + wait, ""
    while (grant := lease.take()) is None:
        entry = lease.holder()
        who = f"{entry.holder} since {entry.since:%Y-%m-%d %H:%M:%S} UTC" if entry else "nobody who can be named"
        held = f"another run holds the lease of {lease.url}: {who}"
        left = deadline - time.monotonic()
        if left <= 0:
            raise LeaseHeldError(f"{held}; wait for it to end, or run again with a longer --wait (seconds)")
        if held != said:
            say(f"{held}; waiting for up to {left:.0f} s")
            said = held
        time.sleep(min(POLL_SECONDS, lease.seconds / 10, left))
    if said:
        say("the lease is free: going on")
    return grant
