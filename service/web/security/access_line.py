"""The access log: a line for each request, without anything of its content."""

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLine"]

LONGEST_PATH = 200

_log = logging.getLogger(__name__)


class AccessLine:
    """Logs method, path, status and duration: no query, no header, no address, no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            # The path as it was sent, in which no character can end the line.
            path = scope["raw_path"][:LONGEST_PATH].decode("ascii", "backslashreplace")
            fields = {
                "method": scope["method"],
                "path": path,
                "status": status,
                "milliseconds": round((perf_counter() - began) * 1e3, 1),
            }
            _log.info("%s", " ".join(map(str, fields.values())), extra={"fields": fields})
