"""What an operator or the service itself has decided while it runs: one file that all worker processes follow.

The service only reads the repository. What applies to this service alone is kept in its run folder while it runs.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter

__all__ = ["Action", "Decision", "DecisionFile", "Decisions"]

Action = Literal["load", "unload", "retry", "demote"]

_LONGEST_REASON = 200
"""Characters of the reason why the file cannot be read that are logged."""

_NUMBERS = count()
"""Numbers the decision files of one process, so that each has its own mark."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decision:
    """The decision about one version; a later one takes its place.

    Attributes:
        action: `load`: it is loaded, whatever the policy says. `unload`: it must not serve. `retry`: earlier decisions
            are void, and it is tried again. `demote`: the service has fallen back from it, until its objects change.
        serial: The decision's number in order of time.
        reason: A sentence for the operator.
        stamp: The stamp that a demoted version's objects had.
    """

    action: Action
    serial: Annotated[int, Field(ge=0)]
    reason: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Decisions:
    """All decisions in force.

    Attributes:
        serial: The number of the last decision.
        closed: Whether an operator has unloaded the model as a whole.
        versions: The decision about each version, by number.
        pinned: The version that an operator has pinned: it answers the calls that name none. None if none is.
    """

    serial: Annotated[int, Field(ge=0)] = 0
    closed: bool = False
    versions: Mapping[Annotated[int, Field(ge=0)], Decision] = field(default_factory=dict)
    pinned: Annotated[int, Field(ge=0)] | None = None

    def add(self, action: Action, number: int, *, reason: str = "", stamp: str = "") -> Self:
        """These decisions and one more about a version. To unload the pinned one ends its pin."""
        serial = self.serial + 1
        decision = Decision(action, serial, reason, stamp)
        pinned = None if action == "unload" and number == self.pinned else self.pinned
        return replace(self, serial=serial, pinned=pinned, versions={**self.versions, number: decision})

    def pin(self, number: int | None) -> Self:
        """These decisions with a version pinned, and what was decided against it void; None for no pin any more."""
        if number is None:
            return replace(self, serial=self.serial + 1, pinned=None)
        tried = self.add("load" if number in self.loads() else "retry", number)
        return replace(tried, pinned=number)

    def undo_pin(self, number: int, before: Self) -> Self:
        """These decisions without the pin of a version that cannot be served, and with what held until then.

        Args:
            number: The version.
            before: The decisions before it was pinned.
        """
        if self.pinned != number:  # something else was decided since
            return self
        versions = {**self.versions}
        if earlier := before.versions.get(number):
            versions[number] = earlier
        pinned = None if before.pinned == number else before.pinned  # it was pinned before, and could not serve either
        return replace(self, serial=self.serial + 1, pinned=pinned, versions=versions)

    def close(self, closed: bool) -> Self:
        """These decisions with the model as a whole unloaded, or not."""
        return replace(self, serial=self.serial + 1, closed=closed)

    def loads(self) -> tuple[int, ...]:
        """The versions that are to be loaded beside what the policy serves."""
        return tuple(sorted(number for number, decision in self.versions.items() if decision.action == "load"))

    def to_be_tried(self, *, since: int) -> tuple[int, ...]:
        """The versions that, by decisions after this serial, are to be tried again even if they were refused."""
        return tuple(
            number
            for number, decision in self.versions.items()
            if decision.serial > since and decision.action in ("load", "retry")
        )

    def withdrawn(self, stamps: Mapping[int, str]) -> dict[int, str]:
        """The versions that must not serve, and why.

        Args:
            stamps: The present stamp of each version's objects: a demotion ends when it changes, but not when the
                objects are out of reach.
        """
        return {
            number: decision.reason
            for number, decision in self.versions.items()
            if decision.action == "unload"
            or (decision.action == "demote" and decision.stamp == stamps.get(number, decision.stamp))
        }


class DecisionFile:
    """`control.json` in the run folder. Any number of processes read and change it; each change is atomic."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the file; without one, nothing is decided yet.

        Args:
            folder: The run folder that the worker processes share; None if there is only one process.
        """
        self.folder = folder or Path(tempfile.mkdtemp(prefix="numeral-"))
        if folder is None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self._path = self.folder / "control.json"
        self._followers = self.folder / "followers"
        self._followers.mkdir(parents=True, exist_ok=True)
        self._mark = self._followers / f"{os.getpid()}-{next(_NUMBERS)}"
        self._seen: tuple[int, ...] | None = None
        self._known = Decisions()

    def look_different(self) -> bool:
        """Whether the file has changed since it was last read; takes microseconds."""
        return self._signature() != self._seen

    def read(self) -> Decisions:
        """The decisions in force; if the file cannot be read, those that were last read."""
        signature = self._signature()
        if signature != self._seen:
            self._known, self._seen = self._stored(), signature
        return self._known

    def _stored(self) -> Decisions:
        """What the file holds; if it cannot be read, what was last read."""
        try:
            with self._path.open("rb") as file:
                return _DECISIONS.validate_json(file.read(_LARGEST))
        except FileNotFoundError:
            return Decisions()
        except (OSError, ValueError) as error:
            reason = " ".join(f"{error}".split())[:_LONGEST_REASON]
            _log.error("%s cannot be read (%s): earlier decisions stay in force", self._path, reason)
            return self._known

    def change(self, change: Callable[[Decisions], Decisions]) -> Decisions:
        """Change the decisions in force, under a lock: concurrent changes by other processes are not lost.

        Returns:
            The decisions in force afterwards.
        """
        with self._locked():
            found = change(self._stored())
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(_DECISIONS.dump_json(found, indent=2))
            fresh.replace(self._path)
        return found

    def followed(self, serial: int) -> None:
        """Let other processes see that this one has followed all decisions up to this serial."""
        fresh = self._mark.with_suffix(".new")
        fresh.write_text(f"{serial}")
        fresh.replace(self._mark)

    def leave(self) -> None:
        """Stop following: other processes need not wait for this one any longer."""
        self._mark.unlink(missing_ok=True)

    def behind(self, serial: int) -> list[int]:
        """The ids of live processes that have not followed up to this serial; marks of dead ones are deleted."""
        found = []
        for mark in self._followers.iterdir():
            if mark.suffix:
                continue
            process = int(mark.name.partition("-")[0])
            try:
                os.kill(process, 0)
                if int(mark.read_text()) < serial:
                    found.append(process)
            except ProcessLookupError:
                mark.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
        return found

    def _signature(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "control.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, or the process ends
            yield


_DECISIONS = TypeAdapter(Decisions)

_LARGEST = 16 * 1024 * 1024
"""Bytes of the file that are read: those of a decision about each of 50,000 versions. What is cut off is no JSON."""
