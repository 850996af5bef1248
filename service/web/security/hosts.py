"""Refuses requests that were sent to another name than this server's."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from service.texts import quoted
from service.web.security.limits import ANY_HOST
from service.web.web_errors import HostError

__all__ = ["Hosts", "authority"]

_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:(?P<port>[0-9]{1,5}))?", re.ASCII)


class Hosts:
    """Checks the Host header. A health check names what it likes: its answer says nothing."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """Guard an application.

        Args:
            app: The application.
            hosts: See `service.web.security.limits.Limits`.
        """
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. Raises HostError."""
        if scope["type"] == "http" and scope["path"] != "/healthz" and ANY_HOST not in self._hosts:
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            found = authority(given[0]) if len(given) == 1 else None
            if found is None or found[0] not in self._hosts:
                raise HostError(
                    f"this server does not answer to the name {quoted(given[0]) if given else 'of nobody'}; whoever "
                    "runs it can add names with --allow-host"
                )
        await self._app(scope, receive, send)


def authority(text: str) -> tuple[str, str] | None:
    """Name and port of a Host header or an origin, in lower case; the port may be "". None if it is neither of both."""
    found = _AUTHORITY.fullmatch(text.lower())
    return (found["name"].removesuffix("."), found["port"] or "") if found else None
