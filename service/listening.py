"""Addresses to listen on: how they are written, and which of them other machines can reach."""

import ipaddress
import socket

from core.errors import ConfigError

__all__ = ["INSECURE_WORDS", "bound", "endpoint", "is_loopback", "refuse_exposure"]

INSECURE_WORDS = "yes-beyond-this-machine"
"""The value that allows listening without TLS on an address that other machines can reach."""


def endpoint(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def is_loopback(host: str, port: int) -> bool:
    """Whether only this machine can reach the address, whatever its name.

    Raises:
        ConfigError: It is no address of any machine.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"cannot listen on {endpoint(host, port)}: {error.strerror or error}") from error
    # An IPv6 address may be followed by % and the name of an interface.
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def refuse_exposure(host: str, port: int, allow_insecure: str) -> None:
    """Refuse to listen without TLS where other machines would be answered.

    Args:
        host: The address.
        port: The port.
        allow_insecure: `INSECURE_WORDS` if that is intended.

    Raises:
        ConfigError: It is not, and they would.
    """
    if allow_insecure != INSECURE_WORDS and not is_loopback(host, port):
        raise ConfigError(
            f"cannot listen on {endpoint(host, port)}: other machines can reach it, and without TLS everything sent "
            f"can be read on the way; set --tls-cert and --tls-key, or --allow-insecure {INSECURE_WORDS}"
        )


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address, and does not listen yet.

    Raises:
        OSError: Another program has the address, or this machine has not.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    holder = socket.socket(family, kind, protocol)
    try:
        # Without this, the closed connections of a server that has just ended would block the port for a minute.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
    except OSError:
        holder.close()
        raise
    return holder
