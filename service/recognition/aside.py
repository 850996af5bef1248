"""Work beside the answers, one piece after the other: it may wait, and recognizing pictures must not wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from service.errors import OverloadedError

__all__ = ["Aside"]

T = TypeVar("T")


class Aside:
    """One thread with a queue of bounded length; what comes when the queue is full is turned away at once."""

    def __init__(self, name: str, *, waiting: int = 16) -> None:
        """Start nothing yet.

        Args:
            name: What the work is, for the error.
            waiting: How many pieces may be waiting or in work.
        """
        self._name = name
        self._limit = waiting
        self._count = 0
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do a piece of work in the thread. If nobody waits for it any more before its turn, it is left undone.

        Raises:
            OverloadedError: The queue is full.
        """
        if self._count >= self._limit:
            sentence = f"too busy: {self._limit} {self._name} wait already; try again in a second"
            raise OverloadedError(sentence, retry_after=1.0)
        self._count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._count -= 1

    def close(self) -> None:
        """Leave undone what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
