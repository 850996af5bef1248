"""Answers requests under /v2 before any route is looked for, and passes on everything else.

Infer requests come by the thousand per second, so this is plain ASGI, without objects for requests and responses.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

import grpc
from starlette.types import ASGIApp, Receive, Scope, Send

from service.web.rest.bodies import Bodies, Incoming
from service.web.rest.callers import check_headers, name_of
from service.web.rest.http_error import GoneError, HttpError
from service.web.rest.places import Asked, place_of
from service.web.rest.refusals import from_grpc
from service.web.rest.replies import Reply, of_error
from service.web.security.limits import Limits
from service.web.web_errors import WebError

__all__ = ["OpenInference"]

_log = logging.getLogger(__name__)

NOT_KEPT = (b"cache-control", b"no-store")


class OpenInference:
    """The REST half of the Open Inference Protocol, in front of an application."""

    def __init__(self, app: ASGIApp, answer: Callable[[Asked], Awaitable[Reply]], limits: Limits) -> None:
        """Answer nothing yet.

        Args:
            app: Answers everything that is not under /v2.
            answer: Answers a request that was read; it may raise HttpError, and what gRPC raises.
            limits: How large bodies may be.
        """
        self._app, self._answer = app, answer
        self._bodies = Bodies(limits.tensor_bytes, max(limits.waiting_bytes, limits.tensor_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http" or not (scope["path"] + "/").startswith("/v2/"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            incoming = Incoming(receive)
            reply = await self._reply(scope, headers, incoming)
            if not incoming.ended and scope["method"] != "GET":
                reply = await _read_on(reply, incoming, headers)
        except GoneError:
            return
        about = [*reply.headers, NOT_KEPT, (b"content-length", b"%d" % len(reply.body))]
        if (name := name_of(headers)) is not None:
            about.append((b"x-request-id", name))
        await send({"type": "http.response.start", "status": reply.status, "headers": about})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, headers: Mapping[bytes, bytes], incoming: Incoming) -> Reply:
        method, body = scope["method"], None
        try:
            place = place_of(method, scope["path"])
            check_headers(headers, scope)
            if method == "POST":
                body = await self._bodies.read(incoming, headers)
            return await self._answer(Asked(place, headers, scope, body or b""))
        except HttpError as error:
            return of_error(error)
        except grpc.aio.AioRpcError as error:
            return of_error(from_grpc(error, shown=b"authorization" in headers))
        except (GoneError, WebError):  # of the latter, those who have raised it take care
            raise
        except Exception as error:  # noqa: BLE001 — the last place to log it, and to keep it from the client
            _log.error("a %s request failed for an unforeseen reason", place.operation, exc_info=error)
            return of_error(HttpError(500, "internal error"))
        finally:
            if body is not None:
                self._bodies.release(body, headers)


async def _read_on(reply: Reply, incoming: Incoming, headers: Mapping[bytes, bytes]) -> Reply:
    """Read the rest of a request that is refused: its client may look for an answer only once all is sent."""
    if b"expect" in headers:  # it sends nothing before it is told to, and what it sends next is anybody's guess
        return reply._replace(headers=(*reply.headers, (b"connection", b"close")))
    while not incoming.ended:
        await incoming.piece()
    return reply
