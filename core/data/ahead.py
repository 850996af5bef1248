"""Work done ahead of time by background threads; the results come out in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

J = TypeVar("J")
T = TypeVar("T")

__all__ = ["ahead"]


def ahead(work: Callable[[J], T], jobs: Iterable[J], *, workers: int) -> Generator[T, None, None]:
    """`map(work, jobs)`, with up to 2 · `workers` results in flight or waiting before they are requested.

    Threads suffice for work in NumPy, which releases the interpreter lock while it computes. `jobs` is iterated in the
    calling thread. An exception in a job is raised in the place of its result, with the traceback of the thread.

    No thread outlives the iterator: at its end, at an error, and when it is closed (as by a `break` out of the loop),
    no further job starts and the jobs in flight are waited for.

    Args:
        work: Called from several threads at once.
        jobs: Its arguments.
        workers: Threads; with 0, each job runs in the calling thread when its result is requested.
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
