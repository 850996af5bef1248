"""The log of a lease: numbered entries, each created only if absent. What they mean is in `core.artifact.lease`."""

from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import uuid4

from pydantic import Field, ValidationError

from core.artifact.fields import Moment, Part
from core.artifact.folder import StoredObject
from core.artifact.holder import Holder
from core.artifact.move import move_number
from core.artifact.objects import Objects
from core.artifact.sealed import opened, sealed
from core.errors import DamagedVersionError, UnreadableEntryError

__all__ = ["Action", "Entry", "Found", "LeaseLog"]

Action = Literal["take", "renew", "release"]

_KEPT = 8
"""Entries that stay behind the last one, for people who look."""

_PROBE = "probe-"


class Entry(Part):
    """One entry of the log.

    Attributes:
        action: `take`, `renew` or `release`.
        holder: The process that wrote it.
        token: The number of the entry with which this holder took the lease.
        since: When it took it, by its own clock: for people.
        at: When this entry was written, likewise.
        seconds: How long the lease lasts from here, unless it is renewed.
    """

    action: Action
    holder: Holder
    token: int = Field(ge=1)
    since: Moment
    at: Moment
    seconds: float = Field(gt=0, le=86_400)


class Found(NamedTuple):
    """The last entry.

    Attributes:
        number: Its number.
        entry: What it says; None if it is damaged.
        stored: The object; None if something else has its name, such as a folder.
    """

    number: int
    entry: Entry | None
    stored: StoredObject | None


class LeaseLog:
    """The log of one lease."""

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects = objects
        self._folder = folder

    @property
    def url(self) -> str:
        """The repository's."""
        return self._objects.url

    def last(self) -> Found | None:
        """The entry with the highest number; None if there is none. What lies in the way under a number counts too."""
        stored, in_the_way = self._entries()
        number = max((*stored, *in_the_way), default=None)
        if number is None:
            return None
        found = stored.get(number)
        return Found(number, self._read(found.path) if found else None, found)

    def create(self, number: int, entry: Entry) -> bool:
        """Write an entry; False, and nothing is changed, if there is one with this number."""
        return self._objects.create(self._path(number), sealed(entry.model_dump(mode="json")))

    def delete(self, number: int) -> None:
        """Remove an entry."""
        self._objects.delete(self._path(number))

    def clean(self, number: int) -> None:
        """Delete entries long before this one, and the probes of killed processes. The last one stays."""
        for found in self._objects.list(self._folder):
            at = _number(found.path)
            if f"/{_PROBE}" in found.path or (at is not None and at < number - _KEPT):
                self._objects.delete(found.path)

    def age(self, stored: StoredObject) -> timedelta:
        """How long ago an entry was written, by the clock of the store alone: a probe is written beside it."""
        path = f"{self._folder}/{_PROBE}{uuid4().hex}"
        self._objects.create(path, b"")
        try:
            probes = [found for found in self._objects.list(self._folder) if found.path == path]
        finally:
            self._objects.delete(path)
        return probes[0].modified - stored.modified if probes else timedelta(0)

    def _entries(self) -> tuple[dict[int, StoredObject], list[int]]:
        """The entries by number, and the numbers of what has an entry's name and is none."""
        survey = self._objects.survey(self._folder)
        stored = {number: found for found in survey.objects if (number := _number(found.path)) is not None}
        return stored, [number for path in survey.faults if (number := _number(path)) is not None]

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:06d}.json"

    def _read(self, path: str) -> Entry | None:
        """The entry at this path; None if it is damaged or was cleaned up meanwhile."""
        try:
            return Entry.model_validate(opened(self._objects.get(path) or b"", known=Entry.model_fields))
        except (ValidationError, ValueError, DamagedVersionError, UnreadableEntryError):
            return None


def _number(path: str) -> int | None:
    """Entries are called as the moves of an alias are."""
    return move_number(path.rpartition("/")[2])
