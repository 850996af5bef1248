"""A client that is closed, or used where it was not made."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service.client import AsyncRecognizer, ClosedError, Recognizer
from tests.patience import eventually
from tests.service.bare_server import Bare, bare
from tests.service.harness import STROKE


@contextmanager
def waiting() -> Iterator[tuple[str, Bare, threading.Event]]:
    """A server whose first answer waits for the event."""
    answer = threading.Event()
    with bare() as (address, server):
        server.wait = answer
        try:
            yield address, server, answer
        finally:
            answer.set()


def test_every_call_of_a_closed_client_fails_as_closed():
    client = Recognizer("127.0.0.1:1")
    client.close()
    client.close()
    for call in (
        lambda: client.recognize(STROKE),
        lambda: client.recognize_batch([STROKE]),
        lambda: list(client.recognize_stream([STROKE])),
        client.model,
        client.health,
    ):
        with pytest.raises(ClosedError, match="the client of 127.0.0.1:1 is closed"):
            call()


def test_every_call_of_a_closed_asyncio_client_fails_as_closed():
    async def calls() -> None:
        client = AsyncRecognizer("127.0.0.1:1")
        await client.close()
        await client.close()
        for call in (client.recognize(STROKE), client.recognize_batch([STROKE]), client.model(), client.health()):
            with pytest.raises(ClosedError):
                await call
        with pytest.raises(ClosedError):
            _ = [outcome async for outcome in client.recognize_stream([STROKE])]

    asyncio.run(calls())


def test_a_call_in_flight_fails_as_closed_when_its_client_is_closed():
    with waiting() as (address, server, _):
        client, errors = Recognizer(address), []

        def call() -> None:
            with pytest.raises(ClosedError) as caught:
                client.recognize(STROKE)
            errors.append(caught.value)

        caller = threading.Thread(target=call)
        caller.start()
        eventually(lambda: server.calls)
        client.close()
        caller.join()
        assert len(errors) == 1


def test_an_asyncio_call_in_flight_fails_as_closed_when_its_client_is_closed():
    async def close(address: str, server: Bare) -> None:
        client = AsyncRecognizer(address)
        call = asyncio.create_task(client.recognize(STROKE))
        while not server.calls:
            await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(ClosedError):
            await call

    with waiting() as (address, server, _):
        asyncio.run(close(address, server))


def test_a_task_that_is_canceled_by_its_own_program_stays_canceled():
    async def cancel(address: str, server: Bare) -> None:
        async with AsyncRecognizer(address) as client:
            call = asyncio.create_task(client.recognize(STROKE))
            while not server.calls:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    with waiting() as (address, server, _):
        asyncio.run(cancel(address, server))


def test_an_asyncio_client_made_outside_of_a_loop_works_in_one_loop_after_another():
    async def recognize(client: AsyncRecognizer) -> str:
        return (await client.recognize(STROKE)).model_version

    with bare() as (address, _):
        client = AsyncRecognizer(address)
        assert [asyncio.run(recognize(client)) for _ in range(2)] == ["bare", "bare"]


def test_an_asyncio_client_is_refused_in_a_second_loop_while_the_first_one_runs():
    async def both(address: str) -> None:
        async with AsyncRecognizer(address) as client:
            await client.recognize(STROKE)
            with pytest.raises(ClosedError, match="belongs to another event loop"):
                await asyncio.to_thread(lambda: asyncio.run(client.recognize(STROKE)))

    with bare() as (address, _):
        asyncio.run(both(address))
