"""The first interceptor of a call: gives it its id, and begins its trace where traces are on."""

import itertools
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, cast

import grpc

from service.logs import request_id

__all__ = ["REQUEST_ID", "Entrance", "Spans"]

REQUEST_ID = "x-request-id"
"""The metadata that a client may name its call with, and that it finds the name in when it is answered."""

_FOREIGN = "/grpc."

_ACCEPTABLE = re.compile(r"[A-Za-z0-9_.:/+=@-]{1,128}")
"""What else a client sends goes into no log, and is replaced."""

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
_Context = grpc.aio.ServicerContext[Any, Any]
_Answer = Callable[[Any, _Context], Awaitable[Any]]
_Answers = Callable[[Any, _Context], AsyncIterator[Any]]

Spans = Callable[[str, dict[str, str]], AbstractContextManager[object]]
"""Method and metadata → the span of one call, for as long as the context lasts."""


class Entrance(grpc.aio.ServerInterceptor):
    """Names every call of our own services, tells the client the name, and puts it into all that the call logs."""

    def __init__(self, spans: Spans | None = None) -> None:
        """Name calls.

        Args:
            spans: Makes the span of a call; None traces nothing.
        """
        self._spans = spans
        self._prefix = os.urandom(6).hex()  # this process
        self._numbers = itertools.count(1)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Name the call; the context of its task keeps the name to its end."""
        method = handler_call_details.method
        if method.startswith(_FOREIGN):
            return await continuation(handler_call_details)
        metadata = handler_call_details.invocation_metadata or ()
        named = next((value for key, value in metadata if key == REQUEST_ID), "")
        if not isinstance(named, str) or not _ACCEPTABLE.fullmatch(named):
            named = f"{self._prefix}-{next(self._numbers)}"
        request_id.set(named)
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        span: AbstractContextManager[object] = nullcontext()
        if self._spans:
            span = self._spans(method, {key: value for key, value in metadata if isinstance(value, str)})
        return _through(handler, named, span)


def _through(
    handler: "grpc.RpcMethodHandler[Any, Any]", named: str, span: AbstractContextManager[object]
) -> "grpc.RpcMethodHandler[Any, Any]":
    """The handler of one call, which tells the client the name of the call, and is traced."""
    trailing = ((REQUEST_ID, named),)
    if handler.unary_unary is not None:
        answer = cast("_Answer", handler.unary_unary)

        async def one(request: Any, context: _Context) -> Any:
            context.set_trailing_metadata(trailing)
            with span:
                return await answer(request, context)

        return grpc.unary_unary_rpc_method_handler(one, handler.request_deserializer, handler.response_serializer)
    answers = cast("_Answers", handler.stream_stream)

    async def many(requests: Any, context: _Context) -> AsyncIterator[Any]:
        context.set_trailing_metadata(trailing)
        with span:
            async for response in answers(requests, context):
                yield response

    return grpc.stream_stream_rpc_method_handler(many, handler.request_deserializer, handler.response_serializer)
