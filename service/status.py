"""From exceptions to gRPC status: one table, and the interceptor that applies it to every call."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Never, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from core.errors import PictureError
from service.reading import ERROR_METADATA
from service.store import NoModelError

__all__ = ["STATUS", "Translator", "status_of"]

STATUS: dict[type[Exception], grpc.StatusCode] = {
    DecodeError: grpc.StatusCode.INVALID_ARGUMENT,
    PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    NoModelError: grpc.StatusCode.UNAVAILABLE,
}
"""A class stands for its subclasses too. What is not here is unforeseen, and is sent as INTERNAL."""

_log = logging.getLogger(__name__)

_Answer = Callable[[Any, Any], Awaitable[Any]]
_Context = grpc.aio.ServicerContext[Any, Any]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"  # a string: at run time the class takes no parameters


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code and the sentence that a client is sent."""
    for kind, code in STATUS.items():
        if isinstance(error, kind):
            return code, str(error)
    return grpc.StatusCode.INTERNAL, "internal error"


class Translator(grpc.aio.ServerInterceptor):
    """Lets no exception of a unary call reach gRPC untranslated: gRPC would send its text to the client.

    Attributes:
        under_way: How many unary calls are being answered now.
    """

    def __init__(self) -> None:
        self.under_way = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Put the translation around the handler of a unary call; leave streams as they are."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        answer: _Answer = handler.unary_unary

        async def translating(data: bytes, context: _Context) -> Any:
            self.under_way += 1
            try:
                request = handler.request_deserializer(data) if handler.request_deserializer else data
                return await answer(request, context)
            except grpc.aio.AbortError:  # the handler has chosen a status itself
                raise
            except Exception as error:  # noqa: BLE001 — the last place where it can be logged, and kept from the client
                await _abort(context, error, handler_call_details.method)
            finally:
                self.under_way -= 1

        return grpc.unary_unary_rpc_method_handler(
            translating,
            request_deserializer=None,  # parsed inside, where bytes that cannot be parsed are an error like any other
            response_serializer=handler.response_serializer,
        )


async def _abort(context: _Context, error: Exception, method: str) -> Never:
    code, sentence = status_of(error)
    if code is grpc.StatusCode.INTERNAL:
        _log.error("%s failed for an unforeseen reason", method, exc_info=error)
    await context.abort(code, sentence, ((ERROR_METADATA, type(error).__name__),))
