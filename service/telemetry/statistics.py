"""What each version has done, and how long it took: counters in memory that all worker processes can read.

Each process counts in a file of its own, mapped into memory, under the folder of the run; whoever is asked adds up all
files. So a count costs an addition, no process waits for another one, and what a process that has died did stays.
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

from service.observer import Observer

if TYPE_CHECKING:
    from service.loaded import Loaded

__all__ = ["Parts", "Statistics", "Totals"]

COUNTERS = (
    *("last_inference_ms", "inferences", "executions", "executions_ns"),
    *("success", "success_ns", "fail", "fail_ns"),
    *("queue_ns", "input_ns", "infer_ns", "output_ns"),
)
"""What is counted for each version, and for each size of batch of a version."""

NAME_BYTES = 32
RECORD = np.dtype([("version", f"S{NAME_BYTES}"), ("batch", "<u8"), *((name, "<u8") for name in COUNTERS)])
CELLS = RECORD.itemsize // 8
FIRST = NAME_BYTES // 8 + 1
"""The cell of the first counter in a record."""

CAPACITY = 30_000
"""Records in a file; it takes no more room than those that are used. The first one takes what finds no room."""

CELL = {name: FIRST + index for index, name in enumerate(COUNTERS)}
_LAST, _INFERENCES = CELL["last_inference_ms"], CELL["inferences"]
_EXECUTIONS, _EXECUTIONS_NS = CELL["executions"], CELL["executions_ns"]


@dataclass(frozen=True)
class Parts:
    """How long the parts of the work on one request took, in nanoseconds.

    Attributes:
        queue: Waiting for a turn.
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
    """What one version has done since the start of the run.

    Attributes:
        counters: By name, see `COUNTERS`.
        batches: Executions and their nanoseconds, by the number of images computed at once.
    """

    counters: dict[str, int]
    batches: dict[int, tuple[int, int]]


class Statistics(Observer):
    """Counts in this process, and reads the counts of all. Any thread may call it."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin with nothing.

        Args:
            folder: Where all processes of a run keep their counters; None where there is but this one.
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
        probabilities: NDArray[np.float32],  # noqa: ARG002 — of no interest here
        seconds: float,
    ) -> None:
        """Count a run of the network."""
        count, nanoseconds = len(images), int(seconds * 1e9)
        with self._lock:
            self._latest = (loaded.version, nanoseconds)
            row = self._row(loaded.version)
            cells = self._cells  # one by one, as this is done for every lone image
            cells[row + _LAST] = time.time_ns() // 1_000_000
            cells[row + _INFERENCES] += count
            for each in (row, self._row(loaded.version, count)):
                cells[each + _EXECUTIONS] += 1
                cells[each + _EXECUTIONS_NS] += nanoseconds

    def latest(self, version: str) -> int:
        """How long the latest run of a version took, in nanoseconds; 0 if another version has run since."""
        name, nanoseconds = self._latest
        return nanoseconds if name == version else 0

    def succeeded(self, version: str, parts: Parts, total: int) -> None:
        """Count a request that was answered.

        Args:
            version: Who has answered it.
            parts: Of its time.
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
        """Count a request that was not answered; `total` nanoseconds were spent on it."""
        with self._lock:
            self._add(self._row(version), fail=1, fail_ns=total)

    def of(self, version: str) -> Totals:
        """What a version has done, in all processes of the run."""
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
        """The records of a version, those of all processes."""
        files = sorted(self._folder.iterdir()) if self._folder else ()
        for data in (file.read_bytes() for file in files) if files else (bytes(self._memory),):
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
            # The name comes last: with it, the record counts for those who read.
            self._memory[row * 8 : row * 8 + NAME_BYTES] = _name(version).ljust(NAME_BYTES, b"\0")
        self._rows[version, batch] = row
        return row

    def _add(self, row: int, **counts: int) -> None:
        for name, count in counts.items():
            self._cells[row + CELL[name]] += count


def _name(version: str) -> bytes:
    return version.encode()[:NAME_BYTES]


def _mapped(folder: Path | None) -> mmap.mmap:
    size = CAPACITY * RECORD.itemsize
    if folder is None:
        return mmap.mmap(-1, size)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{os.getpid()}-{token_hex(4)}").open("x+b") as file:
        file.truncate(size)  # a hole: no room is taken until it is written to
        return mmap.mmap(file.fileno(), size)
