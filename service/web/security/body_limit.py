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


LOOK_SECONDS = 0.1
"""Seconds between two looks for bodies that are late. A timer for each would take a tenth of the time of a request."""


class BodyLimit:
    """Reads no more of a body than it may have, and answers what it refuses, whatever the application makes of that."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Guard an application; `limits` says what is too much."""
        self._app, self._limits = app, limits
        self.held = 0
        """Bytes of all bodies whose requests are not answered yet."""
        self._awaited: set[_Body] = set()
        self._look: asyncio.TimerHandle | None = None

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

    def await_piece(self, body: "_Body") -> None:
        """End the wait of a body for its next piece once it is late; until `got_piece`."""
        self._awaited.add(body)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._end_late)

    def got_piece(self, body: "_Body") -> None:
        """The wait is over."""
        self._awaited.discard(body)

    def _end_late(self) -> None:
        self._look, now = None, monotonic()
        for body in self._awaited:
            if body.late <= now:
                body.give_up()
        if self._awaited:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._end_late)

    def _largest(self, path: str) -> int:
        if path.startswith("/v2/"):
            return self._limits.tensor_bytes
        return self._limits.picture_bytes if path.startswith("/page/") else FORM_BYTES


class _Body:
    """One body, as it arrives.

    Attributes:
        received: Its bytes so far.
        refusal: Why no more of it is read, if so.
        late: When its next piece is late, by `time.monotonic`.
    """

    def __init__(self, all_bodies: BodyLimit, receive: Receive, largest: int, limits: Limits) -> None:
        self._all, self._receive, self._largest, self._limits = all_bodies, receive, largest, limits
        self._began = monotonic()
        self._ended = self._given_up = False
        self._task: asyncio.Task[object] | None = None
        self.late = 0.0
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
        now, seconds = monotonic(), self._limits.body_seconds
        self.late = min(now + seconds, self._began + seconds + self.received / SLOWEST)
        self._task = asyncio.current_task()
        self._all.await_piece(self)
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if not self._given_up or (self._task and self._task.uncancel()):  # somebody else has cancelled it, too
                raise
            sentence = f"the body of the request arrives too slowly: {self.received:,} bytes so far; send it again"
            raise self._refused(SlowBodyError(sentence)) from None
        finally:
            self._all.got_piece(self)
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        piece = len(message.get("body", b""))
        self.received += piece
        self._all.held += piece
        if self.received > self._largest:
            raise self._refused(self._too_large())
        if self._all.held > self._limits.waiting_bytes:
            raise self._refused(BusyError("too many large pictures at the same time; try again in a moment", 1.0))
        return message

    def give_up(self) -> None:
        """End the wait for the next piece."""
        if self._task and not self._given_up:
            self._given_up = True
            self._task.cancel()

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
