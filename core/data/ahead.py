"""Work done ahead of time by background threads, and handed out in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

J = TypeVar("J")
T = TypeVar("T")

__all__ = ["ahead"]


def ahead(work: Callable[[J], T], jobs: Iterable[J], *, workers: int) -> Generator[T, None, None]:
    """`map(work, jobs)`, with up to 2 · `workers` results under way or waiting before they are asked for.

    Threads are enough where the work is NumPy's: it lets go of the interpreter lock while it computes. `jobs` is walked
    through in the calling thread. What a job raises comes out in its place, with the traceback of the thread.

    No thread outlives the iterator: at its end, at an error, and when it is closed (which a `break` out of the loop
    does), no further job begins and those under way are waited for.

    Args:
        work: Called from several threads at once.
        jobs: Its arguments.
        workers: Threads; 0 works in the calling thread, at the moment a result is asked for.
    """
    if not workers:
        yield from map(work, jobs)
        return
    jobs = iter(jobs)
    with ThreadPoolExecutor(workers, thread_name_prefix="ahead") as pool:
        try:
            waiting: deque[Future[T]] = deque(pool.submit(work, job) for job in islice(jobs, 2 * workers))
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, job) for job in islice(jobs, 1))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # leaving the block waits
