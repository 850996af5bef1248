"""Processes that stop, hang, or get in each other's way."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import sleep

import numpy as np

from benchmarks.attacks.arena import PICTURE, RECOGNIZE, Arena, open_channel, took, unary
from benchmarks.attacks.attack import Attack, Figure
from benchmarks.sides import START, free_port
from core.errors import ConfigError, NumeralError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from service.aio_client import AsyncRecognizer
from service.client import Recognizer

__all__ = ["Outage", "Restarts", "SharedMetricsPort", "StoppedWorker"]

CALLERS = 4
STANDARD_RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
"""What gRPC's own page on retries recommends."""

IMAGE = np.frombuffer(PICTURE, np.uint8).reshape(28, 28)
MESSAGE = RecognizeRequest(pixels=PICTURE).SerializeToString()


@dataclass(frozen=True)
class Calls:
    """Calls during restarts: how many there were, how many were lost, and how many stops claimed to have lost none."""

    restarts: int
    calls: int
    lost: int
    untrue: int


class Restarts(Attack[Calls]):
    """Restarts under load: a client that retries UNAVAILABLE, as gRPC recommends, loses no call."""

    name = "restarts"

    def act(self, arena: Arena) -> Calls:
        """Restart on the same port while callers go on."""
        models, port, over = arena.models().url, free_port(), Event()
        counted = _Count()
        restarts = untrue = 0
        callers = [Thread(target=counted.keep_calling, args=(port, over)) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        try:
            while restarts < max(3, arena.seconds / 4):
                with arena.service(models, "--workers", 2, port=port) as service:
                    sleep(1)
                    before = counted.lost
                    status = service.stop()
                    sleep(0.2)  # until the callers have counted
                    untrue += status == 0 and counted.lost > before
                restarts += 1
        finally:
            with arena.service(models, port=port):  # for the calls that wait
                over.set()
                for caller in callers:
                    caller.join()
        return Calls(restarts, counted.calls, counted.lost, untrue)

    def judge(self, seen: Calls) -> tuple[Figure, ...]:
        """The calls that were lost, and the stops that said otherwise."""
        return (
            Figure(f"of {seen.calls:,} calls in {seen.restarts} restarts, lost", seen.lost, 0, "calls"),
            Figure("stops that claimed to have lost none", seen.untrue, 0, "stops"),
        )


class _Count:
    """Calls of several threads, and those that failed."""

    def __init__(self) -> None:
        self.calls = self.lost = 0
        self._lock = Lock()

    def keep_calling(self, port: int, over: Event) -> None:
        """Keep some calls in flight."""
        with open_channel(port, ("grpc.service_config", STANDARD_RETRIES), ("grpc.max_reconnect_backoff_ms", 500)) as c:
            call = unary(c, RECOGNIZE)
            while not over.is_set():
                waiting = [call.future(MESSAGE, timeout=60, wait_for_ready=True) for _ in range(8)]
                lost = sum(each.exception() is not None for each in waiting)
                with self._lock:
                    self.calls += len(waiting)
                    self.lost += lost


@dataclass(frozen=True)
class Return:
    """Seconds from the return of the service to the first answer, of each of our clients."""

    blocking: float
    asyncio: float


class Outage(Attack[Return]):
    """The service is away for up to 25 s: both of our clients are answered within 2 s of its return."""

    name = "outage"

    def act(self, arena: Arena) -> Return:
        """Call during the outage, and time the first answer after it."""
        models, port, away = arena.models().url, free_port(), min(arena.seconds, 25)
        with arena.service(models, port=port):
            pass
        back = Event()
        found: dict[str, float] = {}
        with Recognizer(f"127.0.0.1:{port}", timeout=5) as client:
            clients = [
                Thread(target=lambda: found.update(blocking=_first_answer(_asking(client), back))),
                Thread(target=lambda: found.update(asyncio=asyncio.run(_first_answer_of_asyncio(port, back)))),
            ]
            for thread in clients:
                thread.start()
            sleep(away)
            with arena.service(models, port=port) as service:
                took(service.version, START)
                back.set()
                for thread in clients:
                    thread.join()
        return Return(**found)

    def judge(self, seen: Return) -> tuple[Figure, ...]:
        """The time that each client took."""
        return (
            Figure("first answer of the blocking client after", seen.blocking, 2.0, "s"),
            Figure("first answer of the asyncio client after", seen.asyncio, 2.0, "s"),
        )


def _asking(client: Recognizer) -> Callable[[], bool]:
    def answered() -> bool:
        try:
            client.recognize(IMAGE)
        except NumeralError:
            return False
        return True

    return answered


def _first_answer(answered: Callable[[], bool], back: Event) -> float:
    """Keep asking; the seconds that it took from the return of the service on."""
    while not back.is_set():
        answered()
        sleep(0.2)
    return took(answered, START)


async def _first_answer_of_asyncio(port: int, back: Event) -> float:
    async with AsyncRecognizer(f"127.0.0.1:{port}", timeout=5) as client:
        loop = asyncio.get_running_loop()

        async def answered() -> bool:
            try:
                await client.recognize(IMAGE)
            except NumeralError:
                return False
            return True

        while not back.is_set():
            await answered()
            await asyncio.sleep(0.2)
        began = loop.time()
        while not await answered():
            await asyncio.sleep(0.05)
        return loop.time() - began


@dataclass(frozen=True)
class Replacement:
    """Seconds until a worker that hangs was replaced, and failed calls on new connections after that, of ten."""

    seconds: float
    failed: int


class StoppedWorker(Attack[Replacement]):
    """One of two workers is stopped with SIGSTOP: it is replaced within 15 s, and new connections are answered."""

    name = "stopped-worker"

    def act(self, arena: Arena) -> Replacement:
        """Stop a worker, and wait until it is gone."""
        with arena.service(arena.models().url, "--workers", 2) as service:
            took(lambda: len(service.pids) > 2, START)
            victim = service.pids[-1]
            os.kill(victim, signal.SIGSTOP)
            seconds = took(lambda: victim not in service.pids, 30)
            took(lambda: len(service.pids) > 2, 10)
            return Replacement(seconds, sum(not service.version() for _ in range(10)))

    def judge(self, seen: Replacement) -> tuple[Figure, ...]:
        """How long it took, and what failed."""
        return (
            Figure("replaced after", seen.seconds, 15.0, "s"),
            Figure("of 10 calls on new connections, failed", seen.failed, 0, "calls"),
        )


class SharedMetricsPort(Attack[bool]):
    """A second service is given the metrics port of the first: it does not start."""

    name = "shared-metrics-port"

    def act(self, arena: Arena) -> bool:
        """Start both; whether the second one listens."""
        models, metrics = arena.models().url, free_port()
        flags = ("--metrics-port", metrics, "--workers", 2)
        with arena.service(models, *flags):
            try:
                with arena.service(models, *flags):
                    return True
            except ConfigError:
                return False

    def judge(self, seen: bool) -> tuple[Figure, ...]:
        """Whether two services share the port."""
        return (Figure("services that share the port", 2 * seen, 0, "services"),)
