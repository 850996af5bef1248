"""The tally of a canary: what all services have counted since it began, across their restarts.

The counters of a service begin at zero when it starts, and were not at zero when the canary began. So of each start of
a service, what it showed at first and what it showed last are kept, and their difference is what counts. A start is
recognized by its time, so that several services behind one address are not taken for one whose counters jump.

The tally is a small file in the data folder, replaced as a whole after each look. It can be lost: then counting begins
again with the next look, and nothing is decided before there is enough again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field, ValidationError

from core.artifact.fields import Moment, Part, Text, VersionNumber
from core.artifact.sealed import opened, sealed
from core.errors import ConfigError
from pipelines.canary.challenger_alias import Canary
from pipelines.canary.metrics_page import Counts, MetricsPage
from pipelines.lock import locked
from pipelines.references import FileRef

__all__ = ["Start", "Tally", "tallying"]

_MOST = 200
"""Starts that are kept one by one. A service that crashes every minute has more of them in an hour or four."""


class Start(Part):
    """One start of one service: what it has counted of canary and champion when it was first and last looked at."""

    address: Text
    at: float = Field(ge=0)
    first: tuple[Counts, Counts]
    last: tuple[Counts, Counts]

    @property
    def counted(self) -> tuple[Counts, Counts]:
        """What it has counted in between."""
        canary, champion = (last.since(first) for first, last in zip(self.first, self.last, strict=True))
        return canary, champion


class Tally(Part):
    """What has been counted.

    Attributes:
        version: The canary.
        beside: The champion that it is compared with.
        begun: When it became a canary.
        looked: When it was first looked at, in seconds since 1970.
        starts: Of the services, the one that was seen last at the end.
        earlier: The sums of those that are not kept one by one.
    """

    version: VersionNumber
    beside: VersionNumber
    begun: Moment
    looked: float = Field(ge=0)
    starts: tuple[Start, ...] = Field((), max_length=_MOST)
    earlier: tuple[Counts, Counts] = (Counts(), Counts())

    @classmethod
    def of(cls, canary: Canary) -> "Tally":
        """Nothing is counted yet."""
        return cls(version=canary.version, beside=canary.beside, begun=canary.begun, looked=time.time())

    def is_of(self, canary: Canary) -> bool:
        """Whether it is about this canary, and not about an earlier one, also of the same version."""
        return (self.version, self.beside, self.begun) == (canary.version, canary.beside, canary.begun)

    def plus(self, address: str, page: MetricsPage) -> "Tally":
        """Add what a service shows."""
        shown = (page.canary, page.champion)
        known = next((start for start in self.starts if start.at == page.start), None)
        if known:
            # Of two looks at once, the one that asked first may write last.
            last = tuple(map(Counts.at_least, known.last, shown))
            added = known.model_copy(update={"address": address, "last": last})
        else:
            # All that a service counts that started after the first look belongs to the time of the canary.
            first = (Counts(), Counts()) if page.start > self.looked else shown
            added = Start(address=address, at=page.start, first=first, last=shown)
        starts, earlier = [start for start in self.starts if start is not known], self.earlier
        if len(starts) >= _MOST:
            earlier = _sum(earlier, starts.pop(0).counted)
        return self.model_copy(update={"starts": (*starts, added), "earlier": earlier})

    @property
    def counted(self) -> tuple[Counts, Counts]:
        """Of the canary and of the champion, over all services."""
        found = self.earlier
        for start in self.starts:
            found = _sum(found, start.counted)
        return found


@contextmanager
def tallying(data_dir: Path, canary: Canary) -> Iterator["Book"]:
    """The tally of a canary in a data folder, which no other process changes while the block lasts.

    Raises:
        ConfigError: It cannot be read.
        StorageError: It cannot be locked or written.
    """
    path = data_dir / "canary.json"
    with locked(path.with_name("canary.lock"), lambda _: None, lambda _: None):
        known = _read(path)
        yield Book(path, known if known and known.is_of(canary) else Tally.of(canary))


class Book:
    """Where the tally is kept.

    Attributes:
        tally: As it was read, or was written last.
    """

    def __init__(self, path: Path, tally: Tally) -> None:
        self.tally = tally
        self._path = path

    def write(self, tally: Tally) -> None:
        """Replace the tally."""
        FileRef.store(self._path, sealed(tally.model_dump(mode="json")))
        self.tally = tally


def _read(path: Path) -> Tally | None:
    """The tally of the last canary; None if there is none, or it is damaged: counting begins anew then."""
    try:
        return Tally.model_validate(opened(path.read_bytes(), known=Tally.model_fields))
    except (FileNotFoundError, ValidationError, ValueError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; which user runs the pipelines?") from error


def _sum(a: tuple[Counts, Counts], b: tuple[Counts, Counts]) -> tuple[Counts, Counts]:
    return a[0].plus(b[0]), a[1].plus(b[1])
