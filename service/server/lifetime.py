"""The life of one server process: from its start through its signals to its exit status."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from service.listening import endpoint
from service.server.heartbeat import LOOKS, Heartbeat
from service.settings import Settings

__all__ = ["HURRIED", "SIGNALS", "Build", "Farewell", "Serving", "WorkerGroup", "serve"]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The signals that a server process handles."""

HURRIED = 130
"""The exit status after a second SIGINT."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Farewell:
    """What became of the calls that were open when the server was asked to stop, or that came later.

    Attributes:
        cut_off: How many had been accepted and were not answered in time.
        refused: How many were refused, for their clients to send again.
    """

    cut_off: int
    refused: int


class Serving(Protocol):
    """What a process serves; see `service.server.assembly.Server`."""

    async def start(self) -> int:
        """Listen; gives the port."""

    async def drain(self) -> Farewell:
        """Finish the calls that are open, and stop; gives what became of them."""

    async def stop(self) -> None:
        """Stop at once."""

    def reload(self) -> None:
        """Read certificate and tokens again."""


Build = Callable[[Settings, int], Serving]
"""The settings and the number of processes → the server. Called in the event loop that the server will run in."""


@dataclass(frozen=True)
class WorkerGroup:
    """The group of processes that a worker belongs to, all of which listen on one port.

    Attributes:
        processes: Their number.
        lifeline: A file descriptor that becomes readable when the supervisor has died.
        heartbeat: This worker's; it is to beat as long as the event loop runs.
    """

    processes: int
    lifeline: int
    heartbeat: Heartbeat


async def serve(
    settings: Settings, build: Build, announce: Callable[[str], None], group: WorkerGroup | None = None
) -> int:
    """Serve until SIGTERM or SIGINT. A second SIGINT does not wait for the calls in flight. SIGHUP reloads.

    Args:
        settings: As `service.settings.read` gives them.
        build: Builds the server.
        announce: Called once with `listening on HOST:PORT`.
        group: The group, if this process is one of several.

    Returns:
        The exit status: 0 if every call was finished, 1 if calls were cut off, 130 after a second SIGINT.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    leave, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, leave.set)
    loop.add_signal_handler(signal.SIGINT, lambda: (hurry if leave.is_set() else leave).set())
    server = build(settings, group.processes if group else 1)
    loop.add_signal_handler(signal.SIGHUP, server.reload)
    beating: asyncio.Task[None] | None = None
    if group:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        loop.add_reader(group.lifeline, _orphaned, loop, group.lifeline, leave)
        if settings.heartbeat_seconds:
            beating = loop.create_task(group.heartbeat.keep_beating(settings.heartbeat_seconds / LOOKS / 2))

    port = await server.start()
    # What was imported and loaded until now stays for good. Unless it is frozen, the garbage collector goes through it
    # again and again, for 40 ms each time, while every call waits.
    gc.collect()
    gc.freeze()
    announce(f"listening on {endpoint(settings.host, port)}")
    await leave.wait()
    if beating:
        beating.cancel()  # a supervisor that stops has a limit of its own

    _log.info("asked to stop; finishing the calls in flight, for at most %g seconds", settings.drain_seconds)
    draining = asyncio.create_task(server.drain())
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait((draining, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not draining.done():
        _log.warning("asked to stop again; stopping at once")
        await server.stop()
        await draining
        return HURRIED
    farewell = draining.result()
    if farewell.refused:
        _log.info("refused %d new calls as UNAVAILABLE, for their clients to send again", farewell.refused)
    if farewell.cut_off:
        sentence = "stopped; %d calls were cut off after %g seconds, as UNAVAILABLE"
        _log.warning(sentence, farewell.cut_off, settings.drain_seconds)
        return 1
    _log.info("stopped; every call was answered")
    return 0


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, leave: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    _log.error("the supervisor of this process has died; stopping")
    leave.set()
