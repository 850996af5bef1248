"""Limits what one peer may ask for, so that one script leaves the others their turn."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.bucket import TokenBucket
from service.web.security.limits import Limits
from service.web.web_errors import TooManyError

__all__ = ["Peers", "peer_of"]

MOST_PEERS = 10_000
"""Peers that are remembered; beyond that, whoever has asked for nothing for the longest time is forgotten."""

BURST_SECONDS = 2.0
"""A peer may ask at once for as much as the rate gives in this time: a page and all that belongs to it."""

SITE_BITS = 64
"""The part of an IPv6 address that names a site; in the rest of it, everybody has any number of addresses."""


@dataclass
class _Peer:
    requests: TokenBucket | None
    at_once: int = 0


class Peers:
    """Counts the requests of each address.

    This machine itself is not limited: there, it is either its own user, or a proxy. The clients of a proxy are told
    apart by what it says of them, if the settings trust it (--trust-proxy). The rate does not hold for the Open
    Inference Protocol, whose callers are programs: the service has quotas for these.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Guard an application; `limits` says what is too much."""
        self._app, self._limits = app, limits
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises TooManyError."""
        name = peer_of(scope["client"]) if scope["type"] == "http" else None
        if name is None:
            await self._app(scope, receive, send)
            return
        peer = self._known(name)
        if self._limits.at_once and peer.at_once >= self._limits.at_once:
            raise TooManyError("too many requests at once from your address; try again in a moment", 1.0)
        if peer.requests and not scope["path"].startswith("/v2/") and (wait := peer.requests.take()):
            raise TooManyError("too many requests from your address; try again in a moment", wait)
        peer.at_once += 1
        try:
            await self._app(scope, receive, send)
        finally:
            peer.at_once -= 1

    def _known(self, name: str) -> _Peer:
        rate = self._limits.rate
        peer = self._peers.get(name) or _Peer(TokenBucket(rate, rate * BURST_SECONDS) if rate else None)
        self._peers[name] = peer
        self._peers.move_to_end(name)
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        return peer


def peer_of(client: tuple[str, int] | None) -> str | None:
    """Under which name a client is counted: its address, of IPv6 the site. None for this machine, which is not."""
    return None if client is None else _peer_at(client[0])


@lru_cache(1024)
def _peer_at(text: str) -> str | None:
    """`peer_of` an address; those that ask most often are not parsed anew each time."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a proxy may say "unknown"
        return text[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif not address.is_loopback:
            return str(ipaddress.ip_network((address, SITE_BITS), strict=False).network_address)
    return None if address.is_loopback else str(address)
