"""The heartbeats of the worker processes, by which the supervisor notices that an event loop has stopped.

A worker that is stopped (SIGSTOP), or blocked in a call that never returns, still has its socket, to which the kernel
goes on giving its share of the new connections. It must be replaced. A worker on an overloaded machine must not: it is
slow, but works, and its replacement would be as slow. Three things keep the two apart:

- Time passes at the supervisor's own pace: if it was not scheduled itself for a while, that while does not count.
- A worker whose main thread ran, or waits for a processor, is busy. Only after `BUSY` times the limit is it replaced
  too, as its event loop might be caught in a loop without end.
- Several beats have to be missing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

__all__ = ["LOOKS", "Heartbeat", "Life", "Watch", "life_of"]

LOOKS = 10
"""How often the supervisor looks at a heartbeat within the limit; the heart beats twice as often."""

BUSY = 12
"""How many times the limit a worker may be silent as long as its main thread is busy."""

_SIZE = 8


class Heartbeat:
    """A number that one process increments, and that the process which has forked it can read."""

    def __init__(self) -> None:
        """Before the first beat."""
        self._memory = mmap(-1, _SIZE)  # anonymous, and shared with the processes that are forked from now on

    @property
    def beats(self) -> int:
        """How often it has beaten."""
        return int.from_bytes(self._memory[:], "little")

    def beat(self) -> None:
        """Beat once."""
        self._memory[:] = (self.beats + 1).to_bytes(_SIZE, "little")

    async def keep_beating(self, seconds: float) -> None:
        """Beat in the running event loop until the task is cancelled, every so many seconds."""
        while True:
            self.beat()
            await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Life:
    """What the kernel says of the main thread of a process.

    Attributes:
        runnable: Whether it runs, or waits for a processor.
        runs: Changes whenever it has run.
    """

    runnable: bool
    runs: str


def life_of(pid: int, proc: Path = Path("/proc")) -> Life:
    """What the kernel says of a process; where it says nothing, the process counts as runnable."""
    try:
        stat = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Life(runnable=True, runs="")
    try:
        runs = (proc / str(pid) / "schedstat").read_text()
    except OSError:  # not every kernel has it; the processor time is coarser, but does
        runs = " ".join(stat[11:13])
    return Life(runnable=stat[0] == "R", runs=runs)


class Watch:
    """The supervisor's watch over one worker."""

    def __init__(self, heartbeat: Heartbeat, limit: float, life: Callable[[], Life]) -> None:
        """Watch from now on.

        Args:
            heartbeat: The worker's.
            limit: Seconds of silence after which a worker that does nothing has to be replaced; 0 for never.
            life: What the kernel says of the worker.
        """
        self._heartbeat, self._limit, self._life = heartbeat, limit, life
        self._beats, self._runs = 0, ""
        self._silent = self._idle = 0.0

    def silent(self, elapsed: float) -> float | None:
        """How long the worker has been silent, in seconds, if that is too long; else None.

        Args:
            elapsed: Seconds since the last look.
        """
        beats = self._heartbeat.beats
        if beats != self._beats or not self._limit:
            self._beats, self._silent, self._idle = beats, 0.0, 0.0
            return None
        counted = min(elapsed, 2 * self._limit / LOOKS)
        life = self._life()
        self._idle = 0.0 if life.runnable or life.runs != self._runs else self._idle + counted
        self._runs = life.runs
        self._silent += counted
        return self._silent if self._idle >= self._limit or self._silent >= BUSY * self._limit else None
