"""Replicas and followers that follow one repository: listings, the time of a promotion, and calls that are lost."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from benchmarks import sides
from benchmarks.fleet.bucket import bucket
from benchmarks.fleet.caller import Caller
from benchmarks.fleet.followers import following
from benchmarks.fleet.sightings import Sightings
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.errors import ConfigError
from service import settings

__all__ = ["Plan", "measure"]

PATIENCE = 600.0
"""Seconds within which each of them must serve what was promoted, on a machine that is busy with all of them."""

QUIET_LOOKS = 6
"""Listings are counted while nothing is promoted, for as long as each replica needs for so many looks."""


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        replicas: Numbers of services, one after the other; each service has one worker process.
        followers: Numbers of followers alone, likewise.
        swaps: How many versions are promoted for each number.
        poll: Seconds between two looks; None for the service's own default.
        repository: Whose champion is published again and again.
    """

    replicas: Sequence[int]
    followers: Sequence[int]
    swaps: int
    poll: float | None
    repository: str


@dataclass(frozen=True)
class _Place:
    """A repository that is followed, and how many listings its storage has seen; None where nobody counts them."""

    name: str
    url: str
    listings: Callable[[], int] | None


class _Publisher:
    """Publishes one and the same version under one number after the other."""

    def __init__(self, source: str, target: str) -> None:
        models = Repository(source)
        self._like = models.manifest(models.champion())
        self._files = {name: models.read(self._like, name) for name in self._like.files}
        self._target = Repository(target, writable=True)

    def publish(self) -> int:
        """Publish another version, and promote nothing."""
        draft = self._target.claim(self._files[WEIGHTS])
        for name, content in self._files.items():
            if name != WEIGHTS:
                draft.add(name, content)
        draft.publish(self._like.model_copy(update={"version": draft.version, "files": draft.files}))
        return draft.version

    def promote(self, version: int) -> float:
        """Promote a version; gives the time at which that began."""
        began = monotonic()
        self._target.promote(version, by="the benchmark", why="a swap")
        return began


def measure(plan: Plan, pattern: str = "*") -> list[Result]:
    """Measure each number of replicas, and of followers, on each storage.

    Args:
        plan: What is measured.
        pattern: Which names of `PLACES`.

    Raises:
        ConfigError: The pattern matches none; or the bucket or a service does not start.
    """
    chosen = [place for name, place in PLACES.items() if fnmatchcase(name, pattern)]
    if not chosen:
        raise ConfigError(f"--case {pattern}: matches none of {', '.join(PLACES)}")
    rng = random.Random(0)  # noqa: S311 — nothing secret
    return [row for place in chosen for row in _rows_of(place, plan, rng)]


def _rows_of(place: Callable[[], AbstractContextManager[_Place]], plan: Plan, rng: random.Random) -> Iterator[Result]:
    for rows, counts in ((_replicas, plan.replicas), (_followers, plan.followers)):
        for count in counts:
            with place() as there:
                publisher = _Publisher(plan.repository, there.url)
                publisher.promote(publisher.publish())
                interval = plan.poll or settings.read(repository=there.url).poll_interval
                yield from rows(there, count, _Swapping(publisher, plan.swaps, interval, rng))


def _replicas(there: _Place, count: int, swapping: "_Swapping") -> Iterator[Result]:
    """Services in processes of their own, each with a client that calls it."""
    case = f"{count} {'replica' if count == 1 else 'replicas'}, {there.name}"
    options = ["--workers", "1", "--pretrained", "off", "--poll-seconds", str(swapping.interval)]
    with ExitStack() as stack:
        repository = Repository(there.url)
        started = [stack.enter_context(sides.numeral(repository, *options)) for _ in range(count)]
        callers = [Caller(side.port, f"replica {number} of {count}") for number, side in enumerate(started, 1)]
        for caller in callers:
            caller.start()
            stack.callback(caller.stop)
        yield from swapping.rows(case, there, {"serves it": [caller.seen for caller in callers]})
    lost = sum((caller.lost for caller in callers), Counter[str]())
    for outcome, times in lost.most_common(4):
        people.print(f"{times} × {outcome}", style="red", markup=False)
    answered, backwards = (sum(c.answered for c in callers), sum(c.seen.backwards for c in callers))
    yield Result(f"{case}: calls answered", "no limit", answered, None, "calls", None)
    yield Result(f"{case}: calls lost", "limit", lost.total(), 0, "calls", None)
    yield Result(f"{case}: answers by an earlier version than before", "limit", backwards, 0, "calls", None)


def _followers(there: _Place, count: int, swapping: "_Swapping") -> Iterator[Result]:
    """Only the part of services that follows, all in this process."""
    with following(there.url, count, swapping.interval, swapping.rng) as found:
        seen = {"knows it": [one.noticed for one in found], "has loaded it": [one.served for one in found]}
        yield from swapping.rows(f"simulated: {count} followers alone, {there.name}", there, seen)


@dataclass(frozen=True)
class _Swapping:
    """How versions are promoted, one after the other."""

    publisher: _Publisher
    swaps: int
    interval: float
    rng: random.Random

    def rows(self, case: str, there: _Place, seen: Mapping[str, Sequence[Sightings]]) -> Iterator[Result]:
        """Count the listings while nothing happens, then swap.

        Args:
            case: For the results.
            there: What is followed.
            seen: What each place has seen, by what is waited for.
        """
        people.print(f"{case}: {self.swaps} swaps", style="dim")
        for places in seen.values():
            for place in places:
                place.wait(1, PATIENCE)
        if there.listings:
            count = len(next(iter(seen.values())))
            yield self._listings(case, count, there.listings)
        seconds: dict[str, list[float]] = {what: [] for what in seen}
        for _ in range(self.swaps):
            version = self.publisher.publish()
            sleep(self.rng.uniform(0, self.interval))  # so that promotions and looks are not in step
            began = self.publisher.promote(version)
            for what, places in seen.items():
                seconds[what].append(max(place.wait(version, PATIENCE) for place in places) - began)
        for what, found in seconds.items():
            until = f"{case}: from a promotion until the last {what}"
            yield Result(f"{until}, median of {self.swaps}", "no limit", round(median(found), 2), None, "s", None)
            yield Result(f"{until}, at most", "no limit", round(max(found), 2), None, "s", None)

    def _listings(self, case: str, count: int, listings: Callable[[], int]) -> Result:
        before, began = listings(), monotonic()
        while monotonic() < began + QUIET_LOOKS * self.interval or listings() < before + count:
            if monotonic() > began + PATIENCE:
                break  # nobody looks: that is the figure
            sleep(self.interval)
        rate = (listings() - before) / (monotonic() - began)
        expected = count / self.interval
        ratio = round(expected / rate, 2) if rate else None
        peer = f"{count} ÷ {self.interval:g} s"
        return Result(f"{case}: listings", peer, round(rate, 2), round(expected, 2), "listings/s", ratio)


@contextmanager
def _in_a_bucket() -> Iterator[_Place]:
    with bucket() as found:
        yield _Place("bucket", found.url, found.listings)


@contextmanager
def _in_a_folder() -> Iterator[_Place]:
    with tempfile.TemporaryDirectory(prefix="numeral-fleet-") as folder:
        yield _Place("folder", str(Path(folder) / "models"), None)


PLACES: dict[str, Callable[[], AbstractContextManager[_Place]]] = {"bucket": _in_a_bucket, "folder": _in_a_folder}
"""The storages, by name."""
