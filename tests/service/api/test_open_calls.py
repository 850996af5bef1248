"""The calls that are open, and what becomes of new ones while the server stops."""

import asyncio
from types import SimpleNamespace

import pytest

from service.api.open_calls import OpenCalls
from service.errors import StoppingError

FIRST = SimpleNamespace(invocation_metadata=lambda: (("user-agent", "grpc-python"),))
AGAIN = SimpleNamespace(invocation_metadata=lambda: (("grpc-previous-rpc-attempts", "1"),))


def open_call(calls: OpenCalls, end: asyncio.Event) -> asyncio.Task[None]:
    """A call that ends when the event is set."""

    async def answer() -> None:
        calls.accept()
        await end.wait()

    return asyncio.create_task(answer())


def test_a_call_counts_until_it_is_answered_or_cancelled():
    async def run() -> None:
        calls, end = OpenCalls(), asyncio.Event()
        answered, cancelled = open_call(calls, end), open_call(calls, end)
        await asyncio.sleep(0)
        assert calls.count == 2
        cancelled.cancel()
        await asyncio.wait([cancelled])
        end.set()
        await answered
        await calls.finish(600)  # which returns once the count has seen both
        assert calls.count == 0

    asyncio.run(run())


def test_a_server_that_runs_refuses_nothing():
    OpenCalls().enter("/a/method", FIRST)


def test_a_server_that_stops_refuses_a_new_call_and_answers_one_that_comes_back():
    async def run() -> None:
        calls = OpenCalls()
        await calls.finish(600)
        with pytest.raises(StoppingError):
            calls.enter("/a/method", FIRST)
        calls.enter("/a/method", AGAIN)
        assert calls.refused == 1

    asyncio.run(run())


def test_a_call_that_comes_while_others_end_is_waited_for_too():
    async def run() -> None:
        calls, first, second = OpenCalls(), asyncio.Event(), asyncio.Event()
        open_call(calls, first).add_done_callback(lambda _: open_call(calls, second))
        await asyncio.sleep(0)
        finishing = asyncio.create_task(calls.finish(600))
        first.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not finishing.done()
        second.set()
        await finishing
        assert calls.count == 0

    asyncio.run(run())


def test_calls_that_do_not_end_are_left_open_when_the_time_is_over():
    async def run() -> None:
        calls, end = OpenCalls(), asyncio.Event()
        task = open_call(calls, end)
        await asyncio.sleep(0)
        await calls.finish(0)
        assert calls.count == 1
        end.set()
        await task

    asyncio.run(run())
