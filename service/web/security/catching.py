"""Answers what fails further in, and the requests that the other guards refuse."""

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.error_answers import answer

__all__ = ["Catching"]

_log = logging.getLogger(__name__)


class Catching:
    """Turns exceptions into responses. Starlette's own does so outside of all guards, without their headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as error:
            if started:  # half of a response cannot be taken back; the connection is closed
                raise
            await _answer(Request(scope), error)(scope, receive, send)


def _answer(request: Request, error: Exception) -> Response:
    try:
        return answer(request, error)
    except Exception:  # noqa: BLE001 — the page about errors has one itself
        _log.exception("an error could not be shown")
        return PlainTextResponse("something went wrong; the log of the web server says what\n", 500)
