"""Who a call comes from, for sharing what may wait: a first step of each call."""

from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import unquote

import grpc

from service.call import client

__all__ = ["host_of", "identify"]


def identify(_method: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Set the client of one call to the host that it comes from. If it shows a token, the guard sets it to that."""
    client.set(host_of(context.peer()))


@lru_cache(maxsize=4096)  # by connection: to take the address apart takes longer than all other first steps together
def host_of(peer: str) -> str:
    """The host in gRPC's name of a peer: an IPv4 address, or the network of an IPv6 address; or `unix`.

    Each customer of an Internet provider has at least 2⁶⁴ IPv6 addresses, so the network counts, the first half.
    """
    kind, _, address = unquote(peer).partition(":")
    if kind == "ipv4":
        return address.rpartition(":")[0]
    if kind == "ipv6":
        number = IPv6Address(address.rpartition(":")[0].strip("[]").partition("%")[0])
        return str(number.ipv4_mapped or f"{IPv6Address(int(number) >> 64 << 64)}/64")
    return kind
