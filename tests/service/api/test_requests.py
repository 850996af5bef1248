"""What the requests of streams may hold, alone and together; and streams that the server ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest

from service.api import budget, requests
from service.api.budget import Budget
from service.api.requests import MOST_BYTES, MOST_REQUESTS, OVERHEAD, Requests
from service.errors import OverloadedError, UnauthenticatedError

ROOMY = 2**40
LARGE = 500_000
"""Bytes of a message that gRPC does not receive before it is read."""


class Client:
    """The other side of a stream: it sends any number of messages of one size, and reads nothing until it is told."""

    def __init__(self, size: int, sends: int = 10**6) -> None:
        self.message, self.left = bytes(size), sends
        self.reads = asyncio.Event()
        self.received: list[object] = []
        self.sends = asyncio.Event()
        self.sends.set()
        self.awaited = False

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    async def read(self) -> object:
        if not self.left:
            return grpc.aio.EOF
        self.awaited = True
        await self.sends.wait()
        self.awaited = False
        self.left -= 1
        return self.message

    async def write(self, response: object) -> None:
        await self.reads.wait()
        self.received.append(response)


@asynccontextmanager
async def stream(client: Client, shared: Budget) -> AsyncIterator[Requests[bytes]]:
    """A stream that is read as far as there is room."""
    with Requests("/a/method", client, bytes, shared) as found:
        found.read = []

        async def read() -> None:
            async for _ in found:
                found.read.append(found.held)

        found.reading = asyncio.create_task(read())
        await settled(found)
        yield found
        found.reading.cancel()


async def settled(found: Requests[bytes]) -> None:
    """Wait until no more is read."""
    before = -1
    while before != len(found.read):
        before = len(found.read)
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("size", "held"), [(784, MOST_REQUESTS), (MOST_BYTES // 4 - OVERHEAD, 4), (3 * MOST_BYTES, 1)], ids=str
)
def test_a_stream_holds_a_number_of_requests_and_bytes_but_always_one(size: int, held: int) -> None:
    async def check() -> None:
        client = Client(size)
        async with stream(client, Budget(ROOMY)) as found:
            assert len(found.read) == held
            client.reads.set()
            await found.write("an answer")
            await settled(found)
            assert len(found.read) == held + 1, "one is answered, and one more is read"

    asyncio.run(check())


def test_all_streams_together_hold_no_more_than_the_budget_and_one_request_each() -> None:
    async def check() -> None:
        shared, size = Budget(1_000_000), 1000 + OVERHEAD
        async with AsyncExitStack() as stack:
            found = [await stack.enter_async_context(stream(Client(1000), shared)) for _ in range(50)]
            assert all(one.read for one in found)
            assert 1_000_000 <= shared.held <= 1_000_000 + 50 * size
        assert shared.held == 0

    asyncio.run(check())


def test_a_stream_that_waits_for_room_is_read_once_another_one_ends() -> None:
    async def check() -> None:
        shared = Budget(100_000)
        async with AsyncExitStack() as first:
            await first.enter_async_context(stream(Client(1000), shared))
            async with stream(Client(1000), shared) as second:
                assert len(second.read) == 1
                await first.aclose()
                await settled(second)
                assert len(second.read) > 1

    asyncio.run(check())


def test_the_end_of_the_messages_is_the_end_of_the_requests() -> None:
    async def check() -> None:
        with Requests("/a/method", Client(10, sends=3), bytes, Budget(ROOMY)) as found:
            assert [len(one) async for one in found] == [10] * 3

    asyncio.run(check())


def test_a_stream_that_is_ended_gives_the_error_in_place_of_the_next_request() -> None:
    async def check() -> None:
        client = Client(1000)
        async with stream(client, Budget(ROOMY)) as found:
            found.end(UnauthenticatedError("revoked"))
            with pytest.raises(UnauthenticatedError):
                await found.reading
            client.reads.set()
            await found.write("the answers before it are still written")

    asyncio.run(check())


def test_a_client_that_reads_nothing_cannot_delay_the_end_of_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "GRACE_SECONDS", 0.01)

    async def answer() -> None:
        async with stream(Client(1000), Budget(ROOMY)) as found:
            found.end(UnauthenticatedError("revoked"))
            found.reading.add_done_callback(lambda reading: reading.exception())
            await found.write("never taken")

    with pytest.raises(UnauthenticatedError):
        asyncio.run(answer())


def test_a_client_that_reads_nothing_loses_its_stream_if_others_wait_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "STALLED_SECONDS", 0.01)
    monkeypatch.setattr(requests, "GRACE_SECONDS", 0.01)

    async def check() -> None:
        shared = Budget(100_000)

        async def stall() -> None:
            async with stream(Client(1000), shared) as found:
                found.reading.add_done_callback(lambda reading: reading.exception())
                await found.write("never taken")

        stalled = asyncio.create_task(stall())
        while not shared.held:
            await asyncio.sleep(0)
        async with stream(Client(1000), shared) as other:
            with pytest.raises(OverloadedError, match="no answer was read"):
                await stalled
            await settled(other)
            assert len(other.read) > 1

    asyncio.run(check())


async def two_after_a_large_message(stack: AsyncExitStack) -> tuple[list[Client], list[Requests[bytes]]]:
    """Two streams with room for one large message, which have each sent one, and wait for the next."""
    shared, clients = Budget(LARGE + LARGE // 2), [Client(LARGE), Client(LARGE)]
    found = [await stack.enter_async_context(stream(client, shared)) for client in clients]
    for client, one in zip(clients, found, strict=True):
        client.sends.clear()
        client.reads.set()
        await one.write("an answer")
    for one in found:
        await settled(one)
    return clients, found


def test_large_messages_of_streams_arrive_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TURN_SECONDS", 600.0)

    async def check() -> None:
        async with AsyncExitStack() as stack:
            clients, found = await two_after_a_large_message(stack)
            [first] = [number for number, client in enumerate(clients) if client.awaited]
            clients[first].sends.set()
            await settled(found[first])
            await found[first].write("an answer")
            await settled(found[1 - first])
            assert clients[1 - first].awaited, "its turn has come"

    asyncio.run(check())


def test_a_stream_that_sends_nothing_in_its_turn_does_not_delay_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TURN_SECONDS", 0.01)

    async def check() -> None:
        async with AsyncExitStack() as stack:
            clients, _ = await two_after_a_large_message(stack)
            while not all(client.awaited for client in clients):
                await asyncio.sleep(0.001)

    asyncio.run(check())


def test_a_stream_that_ends_while_it_waits_for_its_turn_leaves_it_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TURN_SECONDS", 600.0)

    async def check() -> None:
        shared = Budget(LARGE)
        end = await shared.take_turn(LARGE)
        waiting = [asyncio.create_task(shared.take_turn(LARGE)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        end()
        (await waiting[1])()
        (await shared.take_turn(LARGE))()

    asyncio.run(check())
