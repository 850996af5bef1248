"""The port: held for those who share it on purpose, and why it cannot be listened on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ConfigError
from service.settings import endpoint

__all__ = ["cannot_listen", "reserved"]


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """Hold a port, so that nobody listens on it but those who share it with us on purpose.

    Yields:
        The port, the one that was found for 0.

    Raises:
        ConfigError: Another program has it.
    """
    try:
        holder = _bound(host, port)
    except OSError as error:
        raise _refusal(host, port, error) from error
    with holder:
        # Only now: had it been set before, then a program that shares its port would have let us in. A socket that does
        # not listen gets no connection.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield holder.getsockname()[1]


def cannot_listen(host: str, port: int) -> ConfigError:
    """Why gRPC could not listen there: it knows, and does not say, so it is tried once more."""
    try:
        _bound(host, port).close()
    except OSError as error:
        return _refusal(host, port, error)
    return _refusal(host, port, None)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    holder = socket.socket(family, kind, protocol)
    try:
        # A server that has just ended leaves connections behind, which would hold up the next one for a minute.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
    except OSError:
        holder.close()
        raise
    return holder


def _refusal(host: str, port: int, error: OSError | None) -> ConfigError:
    reason = (error.strerror or str(error)) if error else "it is free by now; try again"
    finding = f"cannot listen on {endpoint(host, port)}: {reason}"
    return ConfigError(f"{finding}; choose another place with --port and --host")
