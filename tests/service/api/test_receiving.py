"""Messages that are sent in part: what is held of them is bounded, for single calls as for streams."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import pytest

from service.api import receiving
from service.api.receiving import ENVELOPE, Receiving
from service.errors import OverloadedError
from tests.patience import eventually
from tests.service.api.test_slow_clients import DATA, PREFACE, SETTINGS, frame, head
from tests.service.harness import assert_same_answer, expected
from tests.service.tiny_model import publish

MOST = 1_000_000


class Call:
    """A call, whose message is complete as soon as it is set."""

    def __init__(self, peer: str) -> None:
        self.peer = lambda: peer
        self.message: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def read(self) -> bytes:
        return await self.message


class Watched:
    """What arrives, and the process that grows with it. Looks are so frequent that tests need not wait."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(receiving, "EVERY_SECONDS", 0.001)
        monkeypatch.setattr(receiving, "PATIENCE_SECONDS", 0.0)
        self.arrived: dict[str, int] = {}
        self.refused: list[str] = []
        self.looks = 0
        self.receiving = Receiving(MOST, self._arrived, self._occupied, lambda reason, _: self.refused.append(reason))

    def _arrived(self) -> Mapping[str, int]:
        self.looks += 1
        return self.arrived

    def _occupied(self) -> int:
        return 10_000_000 + sum(self.arrived.values())

    def awaits(self, call: Call) -> "asyncio.Task[bytes]":
        return asyncio.create_task(self.receiving.read(call))

    async def looked(self) -> None:
        """Wait until the connections were looked at once more."""
        before = self.looks
        while self.looks == before:
            await asyncio.sleep(0)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_the_connection_that_holds_most_loses_its_calls_once_all_hold_too_much(watched):
    async def check() -> None:
        calls = [watched.awaits(Call(peer)) for peer in ("ipv4:1", "ipv4:2", "ipv4:2", "ipv4:3")]
        await asyncio.sleep(0.01)
        watched.arrived = {"ipv4:1": 300_000, "ipv4:2": 600_000, "ipv4:3": 300_000}
        for lost in calls[1:3]:
            with pytest.raises(OverloadedError, match="600,000 bytes of messages that are not complete"):
                await lost
        await watched.looked()
        assert not calls[0].done()
        assert not calls[3].done()
        assert watched.refused == ["incomplete"] * 2

    asyncio.run(check())


def test_messages_that_were_handed_over_are_not_held(watched):
    async def check() -> None:
        for size in (0, 200_000, 400_000, 600_000, 800_000, 1_000_000, 1_200_000):
            call = Call("ipv4:1")
            waiting = watched.awaits(call)
            await asyncio.sleep(0.005)
            watched.arrived = {"ipv4:1": size + 200_000}
            call.message.set_result(bytes(200_000 - ENVELOPE))
            assert await waiting
        rest = watched.awaits(Call("ipv4:1"))
        await watched.looked()
        assert not rest.done()

    asyncio.run(check())


def test_what_cancelled_calls_have_sent_is_forgotten_once_nothing_is_awaited(watched):
    async def check() -> None:
        cancelled, other = watched.awaits(Call("ipv4:1")), watched.awaits(Call("ipv4:2"))
        await asyncio.sleep(0.01)
        watched.arrived = {"ipv4:1": 900_000, "ipv4:2": 0}
        cancelled.cancel()
        for _ in range(3):
            await watched.looked()
        again = watched.awaits(Call("ipv4:1"))
        watched.arrived = {"ipv4:1": 1_800_000, "ipv4:2": 0}
        await watched.looked()
        assert not again.done()
        assert not other.done()

    asyncio.run(check())


def test_a_call_that_its_client_cancels_is_cancelled(watched):
    async def check() -> None:
        call = watched.awaits(Call("ipv4:1"))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(check())


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much has arrived")
@pytest.mark.parametrize("method", ["Recognize", "RecognizeStream"])
def test_halves_of_pictures_are_given_up_and_whole_ones_are_answered(
    method, repository, folder, start, connect, pixels
):
    """300 connections send 60 kB each, of pictures of a megabyte, and stop. No more than 4 MB of that is held."""
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--workers", 1, "--max-waiting-bytes", 4_000_000)
    address = process.listening()
    host, port = address.split(":")
    part = struct.pack(">BI", 0, 1_000_000) + bytes(60_000)
    words = PREFACE + frame(SETTINGS, 0) + head(1, f"/numeral.v1.Recognizer/{method}")
    words += b"".join(frame(DATA, 1, part[at : at + 16_000]) for at in range(0, len(part), 16_000))
    with ExitStack() as stack:
        halves = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(300)]
        heard = [bytearray() for _ in halves]
        for half in halves:
            half.sendall(words)
            half.setblocking(False)

        def refused() -> int:
            for half, answer in zip(halves, heard, strict=True):
                with suppress(BlockingIOError):
                    answer += half.recv(65_536)
            return sum(b"are not complete" in answer for answer in heard)

        eventually(lambda: refused() >= 200, "most of the halves are refused")
        assert_same_answer(
            connect(address).recognize(pixels, timeout=60).probabilities, expected(repository, 1, pixels)
        )


def test_a_single_request_without_a_message_is_refused(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        nothing = channel.stream_unary("/numeral.v1.Recognizer/Recognize")
        with pytest.raises(grpc.RpcError, match="the call has no message; send one request") as caught:
            nothing(iter(()), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
