"""Limits the bodies of requests while they arrive: their size, their time, and what all of them hold together."""

import asyncio
from contextlib import suppress
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.error_answers import answer
from service.web.security.limits import Limits
from service.web.web_errors import BodyTooLargeError, BusyError, SlowBodyError, WebError

__all__ = ["FORM_BYTES", "BodyLimit"]

FORM_BYTES = 64 * 1024
"""The largest body that holds no picture: a form."""

SLOWEST = 16 * 1024
"""Bytes per second on average, below which a body is too slow. A photo over the poorest mobile network is faster."""

LINGER_SECONDS = 2.0
"""For how long a refused body is still read, and thrown away: many clients read no answer before they have sent."""


class BodyLimit:
    """Reads no more of a body than it may have, and answers what it refuses, whatever the application makes of that."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Guard an application; `limits` says what is too much."""
        self._app, self._limits = app, limits
        self.held = 0
        """Bytes of all bodies whose requests are not answered yet."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, receive, self._largest(scope["path"]), self._limits)
        started = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if started or body.refusal is None:
                started = True
                await send(message)

        try:
            body.announced(next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0))
            await self._app(scope, body.receive, send_unless_refused)
        except Exception:
            if body.refusal is None or started:
                raise
        finally:
            self.held -= body.received
        if body.refusal is not None and not started:
            await _refuse(body.refusal, scope, receive, send)

    def _largest(self, path: str) -> int:
        if path.startswith("/v2/"):
            return self._limits.tensor_bytes
        return self._limits.picture_bytes if path.startswith("/page/") else FORM_BYTES


class _Body:
    """One body, as it arrives.

    Attributes:
        received: Its bytes so far.
        refusal: Why no more of it is read, if so.
    """

    def __init__(self, all_bodies: BodyLimit, receive: Receive, largest: int, limits: Limits) -> None:
        self._all, self._receive, self._largest, self._limits = all_bodies, receive, largest, limits
        self._began = monotonic()
        self._ended = False
        self.received = 0
        self.refusal: WebError | None = None

    def announced(self, length: int) -> None:
        """Refuse a body by the length that its header announces, before a byte of it is read. Raises WebError."""
        if length > self._largest:
            raise self._refused(self._too_large())

    async def receive(self) -> Message:
        """The next piece. Raises WebError."""
        if self.refusal:
            raise self.refusal
        if self._ended:  # the application waits for the client to hang up, for as long as it likes
            return await self._receive()
        late = self._began + self._limits.body_seconds + self.received / SLOWEST - monotonic()
        try:
            async with asyncio.timeout(min(self._limits.body_seconds, max(late, 0.0))):
                message = await self._receive()
        except TimeoutError:
            sentence = f"the body of the request arrives too slowly: {self.received:,} bytes so far; send it again"
            raise self._refused(SlowBodyError(sentence)) from None
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        piece = len(message.get("body", b""))
        self.received += piece
        self._all.held += piece
        if self.received > self._largest:
            raise self._refused(self._too_large())
        if self._all.held > self._limits.waiting_bytes:
            raise self._refused(BusyError("too many large pictures at the same time; try again in a moment", 1.0))
        return message

    def _too_large(self) -> WebError:
        return BodyTooLargeError(f"the body of the request is larger than {self._largest:,} bytes; send a smaller one")

    def _refused(self, error: WebError) -> WebError:
        self.refusal = error
        return error


async def _refuse(error: WebError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer, then read on for a while: a connection that is closed at once is reset, and the answer may be lost."""

    async def send_and_linger(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({**message, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    response = answer(Request(scope), error)
    response.headers["Connection"] = "close"
    await response(scope, receive, send_and_linger)
