"""From exceptions to gRPC status: one table, and the interceptor that applies it to every call."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Never, TypeAlias, cast

import grpc
from google.protobuf.message import DecodeError

from core.errors import FeedbackError, FeedbackNotFoundError, PictureError
from service.aside import BusyError
from service.control import LoadRefusedError
from service.feedback import FeedbackFullError, FeedbackOffError
from service.observer import Call, Observer
from service.reading import ERROR_METADATA, RequestError
from service.store import NoModelError, NotReadyError, UnknownVersionError

__all__ = ["STATUS", "Translator", "status_of"]

STATUS: dict[type[Exception], grpc.StatusCode] = {
    DecodeError: grpc.StatusCode.INVALID_ARGUMENT,
    PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    NoModelError: grpc.StatusCode.UNAVAILABLE,
    NotReadyError: grpc.StatusCode.UNAVAILABLE,
    LoadRefusedError: grpc.StatusCode.FAILED_PRECONDITION,
    UnknownVersionError: grpc.StatusCode.NOT_FOUND,
    BusyError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackOffError: grpc.StatusCode.UNIMPLEMENTED,
    FeedbackNotFoundError: grpc.StatusCode.NOT_FOUND,
    FeedbackError: grpc.StatusCode.UNAVAILABLE,
}
"""A class stands for its subclasses too, unless one of them stands before it.

What is not here is unforeseen, and is sent as INTERNAL.
"""

FOREIGN = "/grpc."
"""How the methods of gRPC's own services begin: health, reflection, channelz."""

_log = logging.getLogger(__name__)

_Answer = Callable[[Any, Any], Awaitable[Any]]
_Answers = Callable[[Any, Any], AsyncIterator[Any]]
_Parse = Callable[[bytes], Any]
_Context = grpc.aio.ServicerContext[Any, Any]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"  # a string: at run time the class takes no parameters


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code and the sentence that a client is sent."""
    for kind, code in STATUS.items():
        if isinstance(error, kind):
            return code, str(error)
    return grpc.StatusCode.INTERNAL, "internal error"


class Translator(grpc.aio.ServerInterceptor):
    """Lets no exception of a call reach gRPC untranslated: gRPC would send its text to the client. Tells of each call.

    Attributes:
        under_way: How many calls are being answered now.
    """

    def __init__(self, observer: Observer) -> None:
        """Translate.

        Args:
            observer: Is told of each call that has ended.
        """
        self.under_way = 0
        self._observer = observer

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Put the translation around a handler; those of gRPC's own services are left as they are."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(FOREIGN):
            return handler
        # Parsed inside, where bytes that cannot be parsed are an error like any other.
        parse = handler.request_deserializer or bytes
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, parse, method), None, handler.response_serializer
            )
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(cast("_Answers", handler.stream_stream), parse, method), None, handler.response_serializer
            )
        raise NotImplementedError(f"{method}: only calls with one request and one response, or with streams of both")

    def _unary(self, answer: _Answer, parse: _Parse, method: str) -> _Answer:
        async def translating(data: bytes, context: _Context) -> Any:
            with self._counted(method, context):
                try:
                    return await answer(parse(data), context)
                except grpc.aio.AbortError:  # the handler has chosen a status itself
                    raise
                except Exception as error:  # noqa: BLE001 — the last place to log it, and to keep it from the client
                    await _abort(context, error, method)

        return translating

    def _stream(self, answer: _Answers, parse: _Parse, method: str) -> _Answers:
        async def translating(data: AsyncIterator[bytes], context: _Context) -> AsyncIterator[Any]:
            with self._counted(method, context):
                try:
                    async for response in answer((parse(item) async for item in data), context):
                        yield response
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 — as above
                    await _abort(context, error, method)

        return translating

    @contextmanager
    def _counted(self, method: str, context: _Context) -> Iterator[None]:
        start = perf_counter()
        self.under_way += 1
        code = grpc.StatusCode.OK
        try:
            yield
        except asyncio.CancelledError:  # the client has gone, or its deadline has passed
            code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            code = _code(context)
            raise
        finally:
            self.under_way -= 1
            self._observer.answered(Call(method, code, perf_counter() - start))


def _code(context: _Context) -> grpc.StatusCode:
    """The status that a handler has chosen; gRPC keeps it as a number."""
    found = context.code()
    known = {code.value[0]: code for code in grpc.StatusCode}
    return found if isinstance(found, grpc.StatusCode) else known.get(found, grpc.StatusCode.UNKNOWN)


async def _abort(context: _Context, error: Exception, method: str) -> Never:
    code, sentence = status_of(error)
    if code is grpc.StatusCode.INTERNAL:
        _log.error("%s failed for an unforeseen reason", method, exc_info=error)
    about = (*(context.trailing_metadata() or ()), (ERROR_METADATA, type(error).__name__))
    await context.abort(code, sentence, about)
