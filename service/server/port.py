"""The port: reserved for the processes of one service, and the reason why it cannot be listened on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ConfigError
from service.settings import endpoint

__all__ = ["cannot_listen", "reserved"]


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """Reserve a port, so that no other program listens on it than those that share it with this one on purpose.

    Yields:
        The port; for 0, the free port that was chosen.

    Raises:
        ConfigError: Another program has it.
    """
    try:
        holder = _bound(host, port)
    except OSError as error:
        raise _refusal(host, port, error) from error
    with holder:
        # Not before `bind`: it would succeed although another program listens on the port and shares it. This socket
        # never listens, so it receives no connection.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield holder.getsockname()[1]


def cannot_listen(host: str, port: int) -> ConfigError:
    """Why gRPC could not listen on an address. gRPC does not report the reason, so binding is tried once more."""
    try:
        _bound(host, port).close()
    except OSError as error:
        return _refusal(host, port, error)
    return _refusal(host, port, None)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    holder = socket.socket(family, kind, protocol)
    try:
        # Without this, the closed connections of a server that has just ended would block the port for a minute.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
    except OSError:
        holder.close()
        raise
    return holder


def _refusal(host: str, port: int, error: OSError | None) -> ConfigError:
    reason = (error.strerror or str(error)) if error else "it is free again; try again"
    finding = f"cannot listen on {endpoint(host, port)}: {reason}"
    return ConfigError(f"{finding}; choose another address with --port and --host")
