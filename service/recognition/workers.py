"""Threads that work for all clients in turn."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from service.call import check_deadline, client, expires
from service.errors import ExpiredError, OverloadedError
from service.recognition.fair import FairQueue, Forecast
from service.recognition.pace import Pace

__all__ = ["Workers"]

S = TypeVar("S")
T = TypeVar("T")


class _Job:
    """One task of a call."""

    __slots__ = ("expected", "expiry", "future", "task")

    def __init__(self, task: Callable[[], Any], expected: float, expiry: float) -> None:
        self.task, self.expected, self.expiry = task, expected, expiry
        self.future: Future[Any] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            check_deadline(self.expiry)
            result = self.task()
        except BaseException as error:  # noqa: BLE001 — the call that waits handles it
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Workers:
    """A few threads, and the tasks that wait for one of them: a fair queue.

    Whatever takes milliseconds for each picture is done here. A thread takes the next task when it is free, and not
    earlier, so that a client that comes anew is served as soon as one of the tasks in progress is done.

    Attributes:
        longest_wait: The most seconds that a call waits until the first of its tasks is begun.
    """

    def __init__(self, threads: int, longest_wait: float = float("inf")) -> None:
        """Start nothing yet.

        Args:
            threads: How many tasks are in progress at once.
            longest_wait: The most seconds that a call waits until the first of its tasks is begun.
        """
        self.longest_wait = longest_wait
        self._threads = threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="decode")
        self._pace = Pace()
        self._lock = Lock()  # for what follows
        self._queue: FairQueue[_Job] = FairQueue()
        self._ends: dict[_Job, float] = {}  # when the tasks in progress will probably be done
        self._active = 0  # threads that take tasks from the queue

    def seconds(self) -> float:
        """How long the tasks that wait will keep the threads busy."""
        with self._lock:
            return self._queue.seconds / self._threads

    def forecast(self, expected: Sequence[float]) -> Forecast | None:
        """When tasks of the current call would be begun and done, in seconds from now.

        Args:
            expected: The seconds that each of them is expected to take, as for `run`.

        Returns:
            None if a thread is free, so that they would be begun at once: then an estimate, which may be wrong, is no
            reason to refuse them.
        """
        with self._lock:
            if self._active < self._threads:
                return None
            now = monotonic()
            rest = sum(max(0.0, end - now) for end in self._ends.values())
            found = self._queue.forecast(client.get(), self._pace(sum(expected)))
            longest = self._pace(max(expected, default=0.0))
        begun, done = ((rest + work) / self._threads for work in found[:2])
        return Forecast(begun, max(done, begun + longest), found.own / self._threads)

    async def run(self, task: Callable[[S], T], sources: Sequence[S], expected: Sequence[float]) -> list[T]:
        """The results of a task for each of several sources. A task whose call ends before its turn is not run.

        Args:
            task: May be called from any thread.
            sources: What it is called with.
            expected: The seconds that each of them is expected to take.

        Raises:
            ExpiredError: The deadline of the call has passed; what was waiting has left the queue.
            OverloadedError: None of its tasks was begun within the longest wait: the forecast was wrong.
        """
        check_deadline()
        expiry, whose = expires.get(), client.get()
        jobs = [_Job(partial(task, source), seconds, expiry) for source, seconds in zip(sources, expected, strict=True)]
        self._push(whose, jobs)
        loop, left = asyncio.get_running_loop(), expiry - monotonic()
        patience = loop.call_later(self.longest_wait, self._give_up, whose, jobs) if self.longest_wait < left else None
        try:
            async with asyncio.timeout(left) if left < float("inf") else nullcontext():
                results: list[T] = await asyncio.gather(*(asyncio.wrap_future(job.future) for job in jobs))
        except BaseException as end:
            self._leave(whose, jobs)
            if isinstance(end, TimeoutError):
                raise ExpiredError from None
            raise
        finally:
            if patience:
                patience.cancel()
        return results

    def close(self) -> None:
        """Drop the tasks that have not begun."""
        with self._lock:
            while found := self._queue.pop():
                found[1].future.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _push(self, whose: str, jobs: Sequence[_Job]) -> None:
        with self._lock:
            for job in jobs:
                self._queue.push(whose, job, self._pace(job.expected))
            more = min(len(jobs), self._threads - self._active)
            self._active += more
        for _ in range(more):
            self._pool.submit(self._work)

    def _give_up(self, whose: str, jobs: Sequence[_Job]) -> None:
        """Refuse a call that has waited too long."""
        with self._lock:
            if not jobs or not self._queue.remove(whose, jobs[0]):
                return  # the first task, and with it the call, has begun
        jobs[0].future.set_exception(
            OverloadedError(
                f"too busy: this has waited for {self.longest_wait:g} s; try again later", self.longest_wait
            )
        )

    def _leave(self, whose: str, jobs: Sequence[_Job]) -> None:
        """Take out of the queue what a call no longer waits for."""
        with self._lock:
            for job in jobs:
                self._queue.remove(whose, job)
        for job in jobs:
            job.future.cancel()

    def _work(self) -> None:
        """Runs in a thread: take one task after the other, until none is waiting."""
        while True:
            with self._lock:
                found = self._queue.pop()
                if found is None:
                    self._active -= 1
                    return
                whose, job, cost = found
                start = monotonic()
                self._ends[job] = start + cost
            job.run()
            taken = monotonic() - start
            with self._lock:
                del self._ends[job]
                self._queue.finish(whose, taken - cost)
                if not job.future.cancelled() and not isinstance(job.future.exception(), ExpiredError):
                    self._pace.learn(job.expected, taken)
