"""A client after an outage: it goes on asking, and follows a name to another address."""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from core.errors import NumeralError
from service.client import AsyncRecognizer, Recognizer
from tests.patience import eventually
from tests.service.bare_server import bare
from tests.service.harness import STROKE
from tests.service.names import names

KNOCKS, LONGEST_PAUSE = 7, 8.0
"""Attempts to connect, and the seconds between two of them: gRPC's own pauses grow, and the seventh would be longer."""

PATIENCE = 15.0
"""Seconds within which a name is looked up again; gRPC would wait for 30."""


def knock_with_threads(address: str, enough: threading.Event) -> None:
    with Recognizer(address) as client:
        while not enough.is_set():
            with pytest.raises(NumeralError):
                client.health(timeout=0.5)


def knock_with_asyncio(address: str, enough: threading.Event) -> None:
    async def knock() -> None:
        async with AsyncRecognizer(address) as client:
            while not enough.is_set():
                with pytest.raises(NumeralError):
                    await client.health(timeout=0.5)

    asyncio.run(knock())


def knocks(client: Callable[[str, threading.Event], None]) -> int:
    """How often a client tries to connect to a server that hangs up at once, until it pauses too long or is stopped."""
    enough, count = threading.Event(), 0
    with socket.create_server(("127.0.0.1", 0)) as broken:
        broken.settimeout(LONGEST_PAUSE)
        caller = threading.Thread(target=client, args=(f"127.0.0.1:{broken.getsockname()[1]}", enough))
        caller.start()
        with suppress(TimeoutError):
            while count < KNOCKS:
                broken.accept()[0].close()
                count += 1
        enough.set()
        caller.join()
    return count


def test_both_clients_try_to_connect_at_short_intervals_during_an_outage():
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(knocks, [knock_with_threads, knock_with_asyncio])) == [KNOCKS, KNOCKS]


def test_a_name_that_stands_for_another_address_after_an_outage_is_followed():
    def at(address: str):
        return lambda server: server.add_insecure_port(f"{address}:{port}")

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def answers(client: Recognizer) -> bool:
        try:
            return client.recognize(STROKE, timeout=5).model_version == "bare"
        except NumeralError:
            return False

    with names("127.0.0.1") as dns, Recognizer(f"dns://127.0.0.1:{dns.port}/numeral.test:{port}") as client:
        with bare(listen=at("127.0.0.1")):
            eventually(lambda: answers(client))
        with bare(listen=at("127.0.0.2")):
            assert not answers(client)
            dns.address = "127.0.0.2"
            eventually(lambda: answers(client), seconds=PATIENCE)
