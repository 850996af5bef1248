"""Threads that work for several clients, one task after the other."""

import asyncio
import threading
from time import monotonic

import pytest

from service.call import client, expires
from service.errors import ExpiredError, OverloadedError
from service.recognition.workers import Workers


class Bench:
    """One worker, whose first task waits until the test lets it go on. `begun` lists the tasks that were begun."""

    def __init__(self, **options) -> None:
        self.workers = Workers(1, **options)
        self.begun: list[str] = []
        self.free = threading.Event()
        self.stuck = threading.Event()

    def task(self, name: str) -> str:
        self.begun.append(name)
        self.stuck.set()
        assert self.free.wait(60)
        return name.upper()

    def call(self, whose: str, *names: str, seconds: float = 1.0, deadline: float = float("inf")):
        """A call of a client, as a task of the event loop."""

        async def made():
            client.set(whose)
            expires.set(deadline)
            return await self.workers.run(self.task, names, [seconds] * len(names))

        return asyncio.create_task(made())

    async def busy(self):
        """Keep the thread busy, and wait until it is."""
        first = self.call("busy", "first")
        while not self.stuck.is_set():
            await asyncio.sleep(0.001)
        return first


def test_results_come_in_the_order_of_their_sources():
    async def scene(bench):
        bench.free.set()
        return await bench.call("a", "x", "y", "z")

    assert asyncio.run(scene(Bench())) == ["X", "Y", "Z"]


def test_a_client_waits_only_for_the_task_in_progress_however_many_another_has_queued():
    async def scene(bench):
        calls = [await bench.busy(), *(bench.call("busy", f"large {number}") for number in range(50))]
        await asyncio.sleep(0)
        calls.append(bench.call("small", "small", seconds=0.001))
        await asyncio.sleep(0)
        bench.free.set()
        await asyncio.gather(*calls)

    asyncio.run(scene(bench := Bench()))
    assert bench.begun.index("small") == 1


def test_a_call_that_is_cancelled_leaves_the_queue_at_once():
    async def scene(bench):
        first = await bench.busy()
        waiting = bench.call("a", *"abc")
        await asyncio.sleep(0)
        assert bench.workers.seconds() > 0
        waiting.cancel()
        await asyncio.wait([waiting])
        assert bench.workers.seconds() == 0
        bench.free.set()
        await first

    asyncio.run(scene(bench := Bench()))
    assert bench.begun == ["first"]


def test_a_call_whose_deadline_passes_leaves_the_queue_while_the_thread_is_busy():
    async def scene(bench):
        first = await bench.busy()
        with pytest.raises(ExpiredError):
            await bench.call("a", *"abc", deadline=monotonic() + 0.01)
        assert bench.workers.seconds() == 0
        bench.free.set()
        await first

    asyncio.run(scene(bench := Bench()))
    assert bench.begun == ["first"]


def test_a_call_that_waits_longer_than_was_forecast_is_refused_in_the_end():
    async def scene(bench):
        first = await bench.busy()
        with pytest.raises(OverloadedError, match=r"has waited for 0\.01 s"):
            await bench.call("a", *"abc")
        assert bench.workers.seconds() == 0
        bench.free.set()
        assert await first == ["FIRST"], "what has begun is done"

    asyncio.run(scene(bench := Bench(longest_wait=0.01)))
    assert bench.begun == ["first"]


def test_nothing_is_forecast_while_a_thread_is_free():
    assert Workers(1).forecast([1000.0]) is None


def test_the_forecast_grows_with_what_the_client_has_queued_itself():
    async def scene(bench):
        calls = [await bench.busy(), bench.call("a", *"abcd")]
        await asyncio.sleep(0)
        client.set("a")
        own = bench.workers.forecast([1.0])
        client.set("b")
        others = bench.workers.forecast([1.0])
        bench.free.set()
        await asyncio.gather(*calls)
        return own, others

    own, others = asyncio.run(scene(Bench()))
    assert own.begun >= 4
    assert others.begun <= 1
    assert own.done > others.done


def test_the_exception_of_a_task_is_that_of_the_call_and_the_thread_goes_on():
    async def scene(workers):
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda number: 1 / number, [0.0], [1.0])
        return await workers.run(lambda number: 1 / number, [2.0], [1.0])

    assert asyncio.run(scene(Workers(1))) == [0.5]


def test_tasks_that_are_waiting_are_dropped_on_close():
    async def scene(bench):
        first, waiting = await bench.busy(), bench.call("a", "x")
        await asyncio.sleep(0)
        bench.workers.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        bench.free.set()
        await first

    asyncio.run(scene(bench := Bench()))
    assert bench.begun == ["first"]
