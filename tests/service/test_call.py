"""What belongs to one call."""

import asyncio
from time import monotonic, sleep

import pytest

from service.call import expires, within
from service.errors import ExpiredError


def test_a_part_of_a_call_that_waits_too_long_is_ended_as_expired():
    async def wait_for_ever() -> None:
        async with within(0.001):
            await asyncio.Event().wait()

    with pytest.raises(ExpiredError):
        asyncio.run(wait_for_ever())


def test_a_part_of_a_call_that_computes_too_long_is_expired_too():
    async def compute() -> None:
        async with within(0.001):
            sleep(0.01)

    with pytest.raises(ExpiredError):
        asyncio.run(compute())


def test_the_earlier_deadline_holds_and_that_of_the_call_returns():
    async def look() -> tuple[float, float, float]:
        expires.set(of_call)
        async with within(60):
            shorter = expires.get()
        async with within(10**9):
            longer = expires.get()
        return shorter, longer, expires.get()

    of_call = monotonic() + 600
    shorter, longer, after = asyncio.run(look())
    assert shorter < of_call == longer == after
