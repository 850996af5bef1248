"""The connections to a port of this process, closed from below gRPC.

When grpcio's server stops, it cancels the calls that it has received but not yet handed to Python, and those that
arrive until the client has read its GOAWAY frame. Clients see CANCELLED, which looks like their own doing and which no
retry policy repeats. The end of the connection is a failure of the transport instead: gRPC reports UNAVAILABLE, and
clients send the call again.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

__all__ = ["arrived", "end", "hang_up", "refuse"]

OPEN_FILES = Path("/dev/fd")
"""Lists the open files of this process, on Linux as on macOS."""

HANG_UP_SECONDS = 1.0
"""How long a server that stops waits at most for its clients to close their connections."""

LOOK_AGAIN = 0.02
"""Seconds between two looks at the connections that are still open."""


TCP_INFO_ARRIVED = 128
"""Where `tcpi_bytes_received` is in Linux's `struct tcp_info`, eight bytes: what has arrived since the beginning."""


def arrived(port: int | None) -> dict[str, int]:
    """The bytes that have arrived on each connection since it was opened, by gRPC's name of its peer.

    Args:
        port: The port on which they were accepted; None if there is none yet.

    Returns:
        Nothing on systems other than Linux, which alone tells.
    """
    found: dict[str, int] = {}
    if port is None or sys.platform != "linux":
        return found
    for connection in _sockets(port, listening=False):
        with suppress(OSError):  # it has ended meanwhile
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_ARRIVED + 8)
            if len(info) == TCP_INFO_ARRIVED + 8:
                found[_peer(*connection.getpeername()[:2])] = int.from_bytes(info[TCP_INFO_ARRIVED:], sys.byteorder)
    return found


def _peer(host: str, number: int) -> str:
    """As gRPC writes it, which shows IPv4 addresses as such on sockets of IPv6 too."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if address.version == 6 else address
    return f"ipv4:{mapped}:{number}" if mapped else f"ipv6:%5B{host}%5D:{number}"


async def end(port: int) -> None:
    """Accept no more connections on a port, and end those that are open, both before the event loop runs again."""
    refuse(port)
    await hang_up(port, HANG_UP_SECONDS)


def refuse(port: int) -> None:
    """Accept no more connections on a port. Those that are open remain so."""
    for listener in _sockets(port, listening=True):
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


async def hang_up(port: int, seconds: float) -> None:
    """End every connection, after what has been written to it, and wait until the other ends have closed theirs.

    Only our direction is ended: to close a socket whose last bytes nobody has read would reset the connection, and the
    client might lose answers that are still on their way.

    Args:
        port: The port on which they were accepted.
        seconds: How long to wait for the other ends, at most.
    """
    deadline = monotonic() + seconds
    while _ended(port) and monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN)


def _ended(port: int) -> int:
    """End our direction of every connection that is still open; gives their number."""
    count = 0
    for connection in _sockets(port, listening=False):
        with suppress(OSError):  # the other end has gone in the meantime
            connection.shutdown(socket.SHUT_WR)
            count += 1
    return count


def _sockets(port: int, *, listening: bool) -> Iterator[socket.socket]:
    """Yields each TCP socket of this process that belongs to a port, and either listens or is connected."""
    for file in OPEN_FILES.iterdir():
        with suppress(OSError), _borrowed(int(file.name)) as found:
            if found.type != socket.SOCK_STREAM or found.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            listens = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
            if listens == listening and found.getsockname()[1] == port:
                yield found


@contextmanager
def _borrowed(number: int) -> Iterator[socket.socket]:
    """A socket by the number of its file. A copy, as gRPC's threads may close theirs at any time.

    Raises:
        OSError: There is no such file any more, or it is no socket.
    """
    copy = os.dup(number)
    try:
        found = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with found:
        yield found
