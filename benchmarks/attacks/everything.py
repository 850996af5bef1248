"""Attacks on a service that is under load already: all that need no service of their own, in turn, for hours."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from random import Random
from threading import Event, Thread
from time import monotonic

from benchmarks.attacks.arena import PICTURE, RECOGNIZE, open_channel, unary
from benchmarks.attacks.load import EXPIRING, flooded
from benchmarks.attacks.streams import UnreadInferStreams, UnreadStreams, unread
from benchmarks.attacks.texts import garbage, reply
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from service.roles import HEALTH, INFERENCE

__all__ = ["attacked"]

TURN = 10.0
"""Seconds of each attack, and of the pause after it."""


@contextmanager
def attacked(port: int) -> Iterator[None]:
    """Attack the service on a port of this machine until the block ends."""
    enough = Event()
    thread = Thread(target=_in_turn, args=(port, enough))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def _in_turn(port: int, enough: Event) -> None:
    for attack in cycle((_unread_streams, _costly_pictures, _short_deadlines, _garbage)):
        attack(port, enough)
        if enough.wait(TURN):
            return


def _unread_streams(port: int, enough: Event) -> None:
    for streams in (UnreadStreams, UnreadInferStreams):
        with unread(port, streams.method, streams.message):
            enough.wait(TURN / 2)


def _costly_pictures(port: int, enough: Event) -> None:
    with flooded(port):
        enough.wait(TURN)


def _short_deadlines(port: int, enough: Event) -> None:
    message = RecognizeRequest(pixels=PICTURE).SerializeToString()
    for _ in _turns(enough):
        with open_channel(port) as channel:
            for _ in range(EXPIRING):
                unary(channel, RECOGNIZE).future(message, timeout=0.001)
            enough.wait(1)


def _garbage(port: int, enough: Event) -> None:
    paths = (RECOGNIZE, f"/{INFERENCE}/ModelInfer", f"/{INFERENCE}/RepositoryIndex", f"/{HEALTH}/Check")
    random = Random()  # noqa: S311 — nothing secret
    with open_channel(port) as channel:
        for _ in _turns(enough):
            for path in paths:
                reply(channel, path, garbage(random), streaming=False)


def _turns(enough: Event) -> Iterator[None]:
    """Go on for one turn."""
    end = monotonic() + TURN
    while monotonic() < end and not enough.is_set():
        yield
