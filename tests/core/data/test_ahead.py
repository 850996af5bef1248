import threading
import traceback
from collections.abc import Iterator

import pytest

from core.data.ahead import ahead
from tests.threads import alive

WORKERS = [0, 1, 2, 5]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert alive("ahead") == 0


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_results_come_in_the_order_of_the_jobs(workers: int, count: int) -> None:
    assert list(ahead(lambda job: job * 10, range(count), workers=workers)) == [job * 10 for job in range(count)]


def test_a_slow_job_is_not_overtaken() -> None:
    second_is_done = threading.Event()

    def work(job: int) -> int:
        if job == 0:
            assert second_is_done.wait(10)
        if job == 1:
            second_is_done.set()
        return job

    assert list(ahead(work, range(5), workers=2)) == list(range(5))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_work_runs_ahead_by_two_jobs_per_worker_and_no_further(workers: int) -> None:
    begun: list[int] = []
    results = ahead(begun.append, range(100), workers=workers)
    for taken in range(1, 10):
        next(results)
        assert len(begun) <= taken + 2 * workers
    results.close()
    assert len(begun) <= 9 + 2 * workers


def test_jobs_are_iterated_in_the_calling_thread() -> None:
    askers = set()

    def jobs() -> Iterator[int]:
        for job in range(10):
            askers.add(threading.current_thread())
            yield job

    list(ahead(abs, jobs(), workers=3))
    assert askers == {threading.current_thread()}


def test_without_workers_each_job_runs_in_the_calling_thread_on_request() -> None:
    begun: list[tuple[int, threading.Thread]] = []
    results = ahead(lambda job: begun.append((job, threading.current_thread())), range(9), workers=0)
    next(results)
    next(results)
    assert begun == [(0, threading.current_thread()), (1, threading.current_thread())]


def fail_at_three(job: int) -> int:
    if job == 3:
        raise ValueError("the third is bad")
    return job


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_is_raised_in_its_place_with_the_traceback_of_its_thread(workers: int) -> None:
    results = ahead(fail_at_three, range(100), workers=workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the third is bad") as caught:
        next(results)
    assert "fail_at_three" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert list(results) == []


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_the_iterator_of_jobs_is_raised_too(workers: int) -> None:
    def jobs() -> Iterator[int]:
        yield 1
        raise OSError("no more jobs")

    with pytest.raises(OSError, match="no more jobs"):
        list(ahead(abs, jobs(), workers=workers))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_whatever_ends_the_loop_stops_the_threads_with_jobs_left_undone(error: type[BaseException]) -> None:
    begun: list[int] = []

    def consume() -> None:
        for _ in ahead(begun.append, range(1000), workers=2):
            raise error

    with pytest.raises(error):
        consume()
    assert len(begun) <= 5


def test_a_break_cancels_the_jobs_that_have_not_started() -> None:
    may_end = threading.Event()
    begun: list[int] = []

    def work(job: int) -> None:
        begun.append(job)
        if job:
            may_end.wait(10)

    results = ahead(work, range(100), workers=1)
    next(results)
    timer = threading.Timer(0.05, may_end.set)
    timer.start()
    results.close()
    timer.join()
    assert begun in ([0], [0, 1])  # 2 was waiting for the only worker


def test_each_iteration_has_threads_of_its_own_while_it_lasts() -> None:
    first, second = ahead(abs, range(100), workers=1), ahead(abs, range(100), workers=1)
    assert alive("ahead") == 0  # none before the first result is asked for
    next(first)
    next(second)
    assert alive("ahead") == 2
    first.close()
    assert list(second) == list(range(1, 100))
