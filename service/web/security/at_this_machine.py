"""Whether whoever sends a request is at this very machine: there, what asks for no token is open, and nowhere else."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Any

from service.web.security.hosts import authority

__all__ = ["is_at_this_machine"]

FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})
"""Headers that proxies add: a proxy on this machine forwards what others send."""


def is_at_this_machine(scope: Mapping[str, Any]) -> bool:
    """Whether a request comes from this machine, and was made for it.

    A site may let its name stand for 127.0.0.1, so that pages of it reach this server in the browser of somebody who is
    at this machine; the header Host still has the site's name.

    Args:
        scope: The request, as ASGI describes it.
    """
    headers = scope["headers"]
    if any(name in FORWARDED for name, _ in headers):
        return False
    hosts = [authority(value.decode("latin-1")) for name, value in headers if name == b"host"]
    if len(hosts) != 1 or hosts[0] is None:
        return False
    (host, _), (client, *_) = hosts[0], scope.get("client") or ("",)
    return _is_loopback(client) and (host == "localhost" or _is_loopback(host.strip("[]")))


def _is_loopback(address: str) -> bool:
    with suppress(ValueError):
        found = ip_address(address)
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        return (mapped or found).is_loopback
    return False
