"""Statistics of each version: how many requests and batches, and how long they took, over all worker processes.

Each process counts in a file of its own, mapped into memory, in the run folder. The process that is asked adds up all
files. So counting costs an addition, no process waits for another, and the counts of a dead process remain.
"""

import mmap
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from service.observer import Observer

if TYPE_CHECKING:
    from service.loaded import Loaded

__all__ = ["Parts", "Statistics", "Totals"]

COUNTERS = (
    *("last_inference_ms", "inferences", "executions", "executions_ns"),
    *("success", "success_ns", "fail", "fail_ns"),
    *("queue_ns", "input_ns", "infer_ns", "output_ns"),
)
"""The counters of each version, and of each batch size of a version."""

NAME_BYTES = 32
RECORD = np.dtype([("version", f"S{NAME_BYTES}"), ("batch", "<u8"), *((name, "<u8") for name in COUNTERS)])
CELLS = RECORD.itemsize // 8
FIRST = NAME_BYTES // 8 + 1
"""The cell of the first counter in a record."""

CAPACITY = 30_000
"""Records in a file, which takes disk space only for those in use. The first record collects what finds no room."""

CELL = {name: FIRST + index for index, name in enumerate(COUNTERS)}
_LAST, _INFERENCES = CELL["last_inference_ms"], CELL["inferences"]
_EXECUTIONS, _EXECUTIONS_NS = CELL["executions"], CELL["executions_ns"]


@dataclass(frozen=True)
class Parts:
    """How long the parts of one request took, in nanoseconds.

    Attributes:
        queue: Waiting in the queue.
        input: From message to pixels.
        infer: The network.
        output: From probabilities to message.
    """

    queue: int
    input: int
    infer: int
    output: int


@dataclass(frozen=True)
class Totals:
    """The statistics of one version since the start of the run.

    Attributes:
        counters: The counters by name, see `COUNTERS`.
        batches: Executions and their nanoseconds, by batch size.
    """

    counters: dict[str, int]
    batches: dict[int, tuple[int, int]]


class Statistics(Observer):
    """Counts in this process, and reads the counts of all processes. May be called from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin at zero.

        Args:
            folder: The folder in which all processes of a run keep their counters; None if there is only this one.
        """
        self._folder = folder
        self._memory = _mapped(folder)
        self._cells = memoryview(self._memory).cast("Q")
        self._rows: dict[tuple[str, int], int] = {}  # the first cell of each record
        self._lock = threading.Lock()
        self._latest = ("", 0)

    def computed(
        self,
        loaded: "Loaded",
        images: NDArray[np.uint8],
        answers: Answers,  # noqa: ARG002 — not counted
        seconds: float,
    ) -> None:
        """Count a batch."""
        count, nanoseconds = len(images), int(seconds * 1e9)
        with self._lock:
            self._latest = (loaded.version, nanoseconds)
            row = self._row(loaded.version)
            cells = self._cells  # without a loop over names, for speed: a lone image comes here too
            cells[row + _LAST] = time.time_ns() // 1_000_000
            cells[row + _INFERENCES] += count
            for each in (row, self._row(loaded.version, count)):
                cells[each + _EXECUTIONS] += 1
                cells[each + _EXECUTIONS_NS] += nanoseconds

    def latest(self, version: str) -> int:
        """How long the latest batch of a version took, in nanoseconds; 0 if another version has computed one since."""
        name, nanoseconds = self._latest
        return nanoseconds if name == version else 0

    def succeeded(self, version: str, parts: Parts, total: int) -> None:
        """Count a request that was answered.

        Args:
            version: The version that answered.
            parts: The parts of its time.
            total: All of its time, in nanoseconds.
        """
        with self._lock:
            self._add(
                self._row(version),
                success=1,
                success_ns=total,
                queue_ns=parts.queue,
                input_ns=parts.input,
                infer_ns=parts.infer,
                output_ns=parts.output,
            )

    def unanswered(self, version: str, total: int) -> None:
        """Count a request that failed after `total` nanoseconds."""
        with self._lock:
            self._add(self._row(version), fail=1, fail_ns=total)

    def of(self, version: str) -> Totals:
        """The statistics of a version, over all processes of the run."""
        counters = dict.fromkeys(COUNTERS, 0)
        batches: dict[int, tuple[int, int]] = {}
        for record in self._records(version):
            count, nanoseconds, size = int(record["executions"]), int(record["executions_ns"]), int(record["batch"])
            if size:
                before = batches.get(size, (0, 0))
                batches[size] = (before[0] + count, before[1] + nanoseconds)
                continue
            last = max(counters["last_inference_ms"], int(record["last_inference_ms"]))
            counters = {name: counters[name] + int(record[name]) for name in COUNTERS} | {"last_inference_ms": last}
        return Totals(counters, dict(sorted(batches.items())))

    def _records(self, version: str) -> Iterator[Any]:
        """The records of a version, in all processes."""
        files = sorted(file for file in self._folder.iterdir() if file.is_file()) if self._folder else ()
        for data in map(_content, files) if files else (bytes(self._memory),):
            records = np.frombuffer(data, RECORD, count=len(data) // RECORD.itemsize)
            yield from records[records["version"] == _name(version)]

    def _row(self, version: str, batch: int = 0) -> int:
        found = self._rows.get((version, batch))
        if found is not None:
            return found
        number = len(self._rows) + 1
        row = CELLS * number if number < CAPACITY else 0
        if row:
            self._cells[row + FIRST - 1] = batch
            # The name is written last: with it, the record becomes visible to readers.
            self._memory[row * 8 : row * 8 + NAME_BYTES] = _name(version).ljust(NAME_BYTES, b"\0")
        self._rows[version, batch] = row
        return row

    def _add(self, row: int, **counts: int) -> None:
        for name, count in counts.items():
            self._cells[row + CELL[name]] += count


def _name(version: str) -> bytes:
    return version.encode()[:NAME_BYTES]


def _content(file: Path) -> bytes:
    """At most as many bytes as a process writes, whatever has come into the folder."""
    with file.open("rb") as opened:
        return opened.read(CAPACITY * RECORD.itemsize)


def _mapped(folder: Path | None) -> mmap.mmap:
    size = CAPACITY * RECORD.itemsize
    if folder is None:
        return mmap.mmap(-1, size)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{os.getpid()}-{token_hex(4)}").open("x+b") as file:
        file.truncate(size)  # a sparse file: it takes disk space only where it is written to
        return mmap.mmap(file.fileno(), size)
