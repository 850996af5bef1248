"""What was decided while the service runs, by an operator or by itself: one file that all worker processes follow.

The repository is only read. So what is to hold for this service alone stands in its run folder, for as long as it runs.
"""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal, Self

__all__ = ["Action", "Decision", "DecisionFile", "Decisions"]

Action = Literal["load", "unload", "retry", "demote"]

_NUMBERS = count()
"""Tells apart the followers within one process."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decision:
    """What holds for one version; a later decision takes its place.

    Attributes:
        action: `load`: it is loaded, whatever the policy says. `unload`: it is not to serve. `retry`: nothing holds any
            more, and it is tried again. `demote`: the service has gone back from it, until its bytes change.
        serial: Which decision it was; they are counted.
        reason: For people.
        stamp: What a demoted version's objects looked like.
    """

    action: Action
    serial: int
    reason: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Decisions:
    """All that holds.

    Attributes:
        serial: That of the last decision.
        closed: Whether an operator has unloaded the model as a whole.
        versions: What holds for versions, by number.
    """

    serial: int = 0
    closed: bool = False
    versions: Mapping[int, Decision] = field(default_factory=dict)

    def add(self, action: Action, number: int, *, reason: str = "", stamp: str = "") -> Self:
        """With one more decision about a version."""
        serial = self.serial + 1
        decision = Decision(action, serial, reason, stamp)
        return replace(self, serial=serial, versions={**self.versions, number: decision})

    def close(self, closed: bool) -> Self:
        """With the model as a whole unloaded, or not."""
        return replace(self, serial=self.serial + 1, closed=closed)

    def loads(self) -> tuple[int, ...]:
        """The versions that are to be loaded beside what the policy asks for."""
        return tuple(sorted(number for number, decision in self.versions.items() if decision.action == "load"))

    def to_be_tried(self, *, since: int) -> tuple[int, ...]:
        """The versions that decisions after this serial want tried again, even if they were refused."""
        return tuple(
            number
            for number, decision in self.versions.items()
            if decision.serial > since and decision.action in ("load", "retry")
        )

    def withdrawn(self, stamps: Mapping[int, str]) -> dict[int, str]:
        """Which versions are not to serve, and why.

        Args:
            stamps: What the objects of each version look like now: a demotion ends when they are others, and not when
                they are out of reach.
        """
        return {
            number: decision.reason
            for number, decision in self.versions.items()
            if decision.action == "unload"
            or (decision.action == "demote" and decision.stamp == stamps.get(number, decision.stamp))
        }


class DecisionFile:
    """`control.json` in the run folder. Any number of processes read and change it; a change is whole or not at all."""

    def __init__(self, folder: Path | None = None) -> None:
        """Nothing is decided yet, unless the folder says so.

        Args:
            folder: The run folder that the worker processes share; None where there is one process alone.
        """
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="numeral-")
        self.folder = folder or Path(self._own.name if self._own else "")
        self._path = self.folder / "control.json"
        self._followers = self.folder / "followers"
        self._followers.mkdir(parents=True, exist_ok=True)
        self._mark = self._followers / f"{os.getpid()}-{next(_NUMBERS)}"
        self._seen: tuple[int, ...] | None = None
        self._known = Decisions()

    def look_different(self) -> bool:
        """Whether the file is another one than was read last; takes microseconds."""
        return self._signature() != self._seen

    def read(self) -> Decisions:
        """What holds now; what held last where the file cannot be read."""
        signature = self._signature()
        if signature != self._seen:
            try:
                self._known = _parsed(json.loads(self._path.read_bytes())) if signature else Decisions()
            except (OSError, ValueError, TypeError, KeyError) as error:
                _log.error("%s cannot be read (%r): the decisions before go on holding", self._path, error)
            self._seen = signature
        return self._known

    def change(self, change: Callable[[Decisions], Decisions]) -> Decisions:
        """Decide: the change is made to what holds at that moment, whoever else decides meanwhile.

        Returns:
            What holds now.
        """
        with self._locked():
            found = change(_parsed(json.loads(self._path.read_bytes())) if self._path.exists() else Decisions())
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(asdict(found), indent=2))
            fresh.replace(self._path)
        return found

    def followed(self, serial: int) -> None:
        """Tell the others that decisions were followed here up to this one."""
        fresh = self._mark.with_suffix(".new")
        fresh.write_text(f"{serial}")
        fresh.replace(self._mark)

    def leave(self) -> None:
        """Follow no more: nobody need wait for this process."""
        self._mark.unlink(missing_ok=True)

    def behind(self, serial: int) -> list[int]:
        """The processes, by id, that are alive and have not followed yet; dead ones are forgotten."""
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
            fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file lets it go, and so does the end of the process
            yield


def _parsed(document: dict[str, Any]) -> Decisions:
    versions = {int(number): Decision(**decision) for number, decision in document["versions"].items()}
    return Decisions(document["serial"], document["closed"], versions)
