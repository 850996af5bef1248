"""The part of a service that follows a repository, alone: without a network, many of them in this process.

The code and the storage are the real ones. What is missing are the processes, their calls, and the machines that would
share the work: all that many followers load at the same moment is loaded by the cores of this one. So it is recorded
apart when a follower has noticed a promotion, which takes next to no computing, and when it would answer by it.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import sleep

from benchmarks.fleet.sightings import Sightings
from core.artifact.repository import CHAMPION, Repository
from service.versions.routes import Routes
from service.versions.store import Store
from service.versions.watcher import Watcher

__all__ = ["Follower", "following"]


class Follower(Store):
    """Where a watcher writes what is known, and what answers calls.

    Attributes:
        noticed: The champions that it has come to know.
        served: The versions that would have answered.
    """

    def __init__(self, url: str, name: str) -> None:
        """Know of nothing yet."""
        super().__init__(url)
        self.noticed, self.served = Sightings(name), Sightings(name)

    def follow(self, routes: Routes) -> None:
        """Answer calls by what is in memory now, and record what that is."""
        super().follow(routes)
        if champion := routes.aliases.get(CHAMPION):
            self.noticed.note(champion)
        if active := self.active():
            self.served.note(active.number)


@contextmanager
def following(url: str, count: int, interval: float, rng: random.Random) -> Iterator[Sequence[Follower]]:
    """Run followers until the block ends; gives them once all have been started.

    Args:
        url: Of the repository.
        count: How many.
        interval: Seconds between two looks of each.
        rng: Chooses when each begins within the first interval, as services on many machines are not in step.
    """
    followers = [Follower(url, f"follower {number} of {count}") for number in range(1, count + 1)]
    begin = sorted(rng.uniform(0, interval) for _ in followers)
    with ExitStack() as stack:
        for before, after, follower in zip([0.0, *begin], begin, followers, strict=False):
            sleep(after - before)
            watcher = Watcher(Repository(url), follower)
            watcher.start(interval, lambda: None)
            stack.callback(watcher.stop)
        yield followers
