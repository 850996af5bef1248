"""Work in the background: it may wait, and recognizing pictures must not wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from service.errors import OverloadedError

__all__ = ["BackgroundQueue"]

T = TypeVar("T")


class BackgroundQueue:
    """A thread with a bounded queue: tasks run one after the other, and are refused while the queue is full."""

    def __init__(self, name: str, *, capacity: int = 16, threads: int = 1) -> None:
        """Start nothing yet.

        Args:
            name: What the tasks are, for the error: "items of feedback".
            capacity: How many tasks may be waiting or running.
            threads: How many may run at once.
        """
        self._name = name
        self._capacity = capacity
        self._count = 0
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def run(self, task: Callable[..., T], *arguments: Any) -> T:
        """Run a task in the thread. A task that is cancelled before its turn does not run.

        Raises:
            OverloadedError: The queue is full.
        """
        if self._count >= self._capacity:
            sentence = f"too busy: {self._capacity} {self._name} are waiting already; try again in a second"
            raise OverloadedError(sentence, retry_after=1.0)
        self._count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, task, *arguments)
        finally:
            self._count -= 1

    def close(self) -> None:
        """Cancel the tasks that have not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
