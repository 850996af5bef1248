"""Work that is given up once nobody waits for it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from service.web.drawing.while_wanted import while_wanted


def request_that(leaves: asyncio.Event) -> Request:
    """A request whose client goes away when `leaves` is set."""

    async def receive():
        await leaves.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_work_is_done_while_its_client_waits():
    async def scene():
        async def work():
            return 3

        return await while_wanted(request_that(asyncio.Event()), work())

    assert asyncio.run(scene()) == 3


def test_an_error_of_the_work_is_raised():
    async def scene():
        async def work():
            raise ValueError("no")

        await while_wanted(request_that(asyncio.Event()), work())

    with pytest.raises(ValueError, match="no"):
        asyncio.run(scene())


def test_work_is_canceled_when_its_client_goes_away():
    async def scene():
        leaves, ended = asyncio.Event(), []

        async def work():
            leaves.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        with pytest.raises(ClientDisconnect):
            await while_wanted(request_that(leaves), work())
        await asyncio.sleep(0)
        return ended

    assert asyncio.run(scene()) == [True]


def test_a_call_that_is_canceled_cancels_its_work():
    async def scene():
        began, ended = asyncio.Event(), []

        async def work():
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        task = asyncio.create_task(while_wanted(request_that(asyncio.Event()), work()))
        await began.wait()
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        return ended

    assert asyncio.run(scene()) == [True]
