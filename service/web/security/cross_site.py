"""Refuses what pages of other sites send in the name of whoever looks at them."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.security.hosts import authority
from service.web.web_errors import CrossSiteError

__all__ = ["CrossSite"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""These change nothing."""

_LOOKED_AT = frozenset({b"host", b"origin", b"sec-fetch-site"})

_DEFAULT_PORTS = {"http": "80", "https": "443"}


class CrossSite:
    """Checks where a request that may change something comes from.

    That includes the Open Inference Protocol, although it takes no cookie. Where the service asks for no token, because
    this machine alone can reach it, so can a browser on this machine, in which any page might unload a version.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises CrossSiteError."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not _is_our_own(scope["headers"]):
            raise CrossSiteError("a page of another site sent this request; open the page here, and send it from there")
        await self._app(scope, receive, send)


def _is_our_own(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request comes from a page of this server, or from no page at all, such as curl."""
    found = {name: value.decode("latin-1") for name, value in headers if name in _LOOKED_AT}
    # Browsers set this where pages cannot: over TLS, and on the machine itself.
    if site := found.get(b"sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = found.get(b"origin")
    if origin is None:
        return True
    scheme, _, rest = origin.partition("://")
    page, here = authority(rest), authority(found.get(b"host", ""))
    if page is None or here is None or scheme not in _DEFAULT_PORTS:  # "null", for one
        return False
    # Before a proxy, the scheme may be another one here than there, so a port that goes without saying is either's.
    goes_without_saying = {"", *_DEFAULT_PORTS.values()}
    return page[0] == here[0] and (page[1] == here[1] or {page[1], here[1]} <= goes_without_saying)
