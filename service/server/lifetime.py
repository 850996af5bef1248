"""The life of one server process: from its start through its signals to its exit status."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from service.settings import Settings, endpoint

__all__ = ["HURRIED", "Build", "Serving", "WorkerGroup", "serve"]

HURRIED = 130
"""The exit status after a second SIGINT."""

_log = logging.getLogger(__name__)


class Serving(Protocol):
    """What a process serves; see `service.server.assembly.Server`."""

    async def start(self) -> int:
        """Listen; gives the port."""

    async def drain(self) -> bool:
        """Finish the calls in flight, and stop; gives whether all of them were finished in time."""

    async def stop(self) -> None:
        """Stop at once."""


Build = Callable[[Settings, int], Serving]
"""The settings and the number of processes → the server. Called in the event loop that the server will run in."""


@dataclass(frozen=True)
class WorkerGroup:
    """The group of processes that a worker belongs to, all of which listen on one port.

    Attributes:
        processes: Their number.
        lifeline: A file descriptor that becomes readable when the supervisor has died.
    """

    processes: int
    lifeline: int


async def serve(
    settings: Settings, build: Build, announce: Callable[[str], None], group: WorkerGroup | None = None
) -> int:
    """Serve until SIGTERM or SIGINT. A second SIGINT does not wait for the calls in flight.

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
    if group:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        loop.add_reader(group.lifeline, _orphaned, loop, group.lifeline, leave)

    server = build(settings, group.processes if group else 1)
    port = await server.start()
    # What was imported and loaded until now stays for good. Unless it is frozen, the garbage collector goes through it
    # again and again, for 40 ms each time, while every call waits.
    gc.collect()
    gc.freeze()
    announce(f"listening on {endpoint(settings.host, port)}")
    await leave.wait()

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
    if not draining.result():
        _log.warning("stopped; calls that took longer than %g seconds were cut off", settings.drain_seconds)
        return 1
    _log.info("stopped; every call was answered")
    return 0


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, leave: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    _log.error("the supervisor of this process has died; stopping")
    leave.set()
