"""Load that is meant to starve others: costly pictures, and deadlines that nobody can keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from threading import Event, Thread
from time import monotonic

import grpc
from PIL import Image, ImageDraw

from benchmarks.attacks.arena import PICTURE, RECOGNIZE, Arena, open_channel, unary
from benchmarks.attacks.attack import Attack, Figure
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest

__all__ = ["CostlyPictures", "ShortDeadlines", "costly", "flooded"]

FLOOD = 400
MODEST_WAIT = 2.0
EXPIRING = 3000


@cache
def costly() -> bytes:
    """A PNG of 27 megapixels in 30 kB, which takes a core some 0.3 s."""
    return _png(Image.new("L", (6000, 4500), 255))


def _modest() -> bytes:
    picture = Image.new("L", (60, 60), 255)
    ImageDraw.Draw(picture).line([(30, 12), (30, 48)], fill=0, width=6)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _with_token(token: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {token}"),)


@contextmanager
def flooded(port: int, token: str = "") -> Iterator[None]:
    """Keep many calls with costly pictures in flight."""
    over, message = Event(), RecognizeRequest(encoded=costly()).SerializeToString()
    metadata = _with_token(token) if token else ()

    def flood() -> None:
        with open_channel(port) as channel:
            call = unary(channel, RECOGNIZE)
            while not over.is_set():
                waiting = [call.future(message, timeout=25, metadata=metadata) for _ in range(FLOOD)]
                while not over.wait(0.1) and not all(each.done() for each in waiting):
                    pass
                for each in waiting:
                    each.cancel()

    thread = Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class Waits:
    """The calls of a modest client: how long each that was answered took, in seconds, and how many were not."""

    seconds: tuple[float, ...]
    failed: int


class CostlyPictures(Attack[Waits]):
    """One client sends 400 PNGs of 27 megapixels at once: another client's small picture waits at most 2 s."""

    name = "costly-pictures"

    def act(self, arena: Arena) -> Waits:
        """Send small pictures, one after the other, while another token floods the service."""
        greedy, modest = "the-greedy-client-s-token", "the-modest-client-s-token"
        tokens = arena.secret("tokens", f"predict:{greedy}\npredict:{modest}\n".encode())
        answered, failed = [], 0
        with (
            arena.service(arena.models().url, "--tokens-file", tokens, "--workers", 1) as service,
            open_channel(service.port) as channel,
            flooded(service.port, greedy),
        ):
            call, message = unary(channel, RECOGNIZE), RecognizeRequest(encoded=_modest()).SerializeToString()
            Event().wait(1)  # until the flood has arrived
            end = monotonic() + arena.seconds
            while monotonic() < end:
                began = monotonic()
                try:
                    call(message, timeout=15, metadata=_with_token(modest))
                except grpc.RpcError:
                    failed += 1
                else:
                    answered.append(monotonic() - began)
        return Waits(tuple(answered), failed)

    def judge(self, seen: Waits) -> tuple[Figure, ...]:
        """The longest wait of the modest client, and its calls that failed."""
        return (
            Figure("longest wait of the modest client", max(seen.seconds, default=15.0), MODEST_WAIT, "s"),
            Figure("its calls that failed", seen.failed, 0, "calls"),
        )


def _failures(calls: "list[grpc.Future[bytes]]", seconds: float) -> int:
    """How many calls fail, or do not end within some seconds, whatever their deadlines."""
    end, failed = monotonic() + seconds, 0
    for call in calls:
        try:
            failed += call.exception(timeout=max(0.0, end - monotonic())) is not None
        except grpc.FutureTimeoutError:
            failed += 1
    return failed


@dataclass(frozen=True)
class Beside:
    """Ordinary calls beside hopeless ones on the same connection: how many there were, and how many failed."""

    calls: int
    failed: int


class ShortDeadlines(Attack[Beside]):
    """3,000 calls with deadlines of 1 ms on one connection: the calls beside them are all answered."""

    name = "short-deadlines"

    def act(self, arena: Arena) -> Beside:
        """Make both kinds of calls on one channel."""
        calls, failed = 0, 0
        message = RecognizeRequest(pixels=PICTURE).SerializeToString()
        with arena.service(arena.models().url) as service, open_channel(service.port) as channel:
            call = unary(channel, RECOGNIZE)
            call(message, timeout=30, wait_for_ready=True)
            end = monotonic() + min(arena.seconds, 10)
            while monotonic() < end:
                hopeless = [call.future(message, timeout=0.001) for _ in range(EXPIRING)]
                beside = [call.future(message, timeout=30) for _ in range(20)]
                failed += _failures(beside, 35)
                calls += len(beside)
                _failures(hopeless, 5)
        return Beside(calls, failed)

    def judge(self, seen: Beside) -> tuple[Figure, ...]:
        """The ordinary calls that failed."""
        return (Figure(f"of {seen.calls:,} calls beside them, failed", seen.failed, 0, "calls"),)
