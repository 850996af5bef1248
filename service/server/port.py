"""The ports: reserved for the processes of one service, and the reason why one cannot be listened on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ConfigError
from service.listening import bound, endpoint

__all__ = ["METRICS", "cannot_listen", "reserved"]

CALLS = "", "choose another address with --port and --host"
METRICS = " for metrics", "choose another address with --metrics-port and --metrics-host"
"""What an error says of an address: what it is for, and the next step."""


@contextmanager
def reserved(host: str, port: int, purpose: tuple[str, str] = CALLS) -> Iterator[int]:
    """Reserve a port, so that no other program listens on it than those that share it with this one on purpose.

    Args:
        host: The address.
        port: The port; 0 for any that is free.
        purpose: For an error: METRICS, if the port is not the one for calls.

    Yields:
        The port; for 0, the free port that was chosen.

    Raises:
        ConfigError: Another program has it.
    """
    try:
        holder = bound(host, port)
    except OSError as error:
        raise _refusal(host, port, error, purpose) from error
    with holder:
        # The port is this service's alone from here on, although nothing listens on it yet: two sockets that allow the
        # reuse of addresses, and do not listen, could both be bound to it.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        # Not before `bind`: it would succeed although another program listens on the port and shares it. This socket
        # never listens, so it receives no connection.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield holder.getsockname()[1]


def cannot_listen(host: str, port: int) -> ConfigError:
    """Why gRPC could not listen on an address. gRPC does not report the reason, so binding is tried once more."""
    try:
        bound(host, port).close()
    except OSError as error:
        return _refusal(host, port, error, CALLS)
    return _refusal(host, port, None, CALLS)


def _refusal(host: str, port: int, error: OSError | None, purpose: tuple[str, str]) -> ConfigError:
    reason = (error.strerror or str(error)) if error else "it is free again; try again"
    usage, step = purpose
    return ConfigError(f"cannot listen on {endpoint(host, port)}{usage}: {reason}; {step}")
