"""From exceptions to gRPC status: one table, and what applies it to every call."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, Never, Self, cast

import grpc
from google.protobuf.message import DecodeError

from core.errors import FeedbackError, FeedbackNotFoundError, PictureError
from service.call import Call, check_deadline, expires, request_id
from service.errors import (
    DeniedError,
    ExpiredError,
    FeedbackFullError,
    FeedbackOffError,
    FeedbackRateError,
    InferRequestError,
    LoadRefusedError,
    NoModelError,
    NotReadyError,
    OverloadedError,
    RequestError,
    StoppingError,
    UnauthenticatedError,
    UnknownModelError,
    UnknownVersionError,
)
from service.observer import Observer
from service.recognition.arrivals import Arrivals
from service.wire import ERROR_METADATA, REQUEST_ID

__all__ = ["STATUS", "Registrar", "Step", "Translator", "status_of"]

STATUS: dict[type[Exception], grpc.StatusCode] = {
    DecodeError: grpc.StatusCode.INVALID_ARGUMENT,
    PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    InferRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownModelError: grpc.StatusCode.NOT_FOUND,
    NoModelError: grpc.StatusCode.UNAVAILABLE,
    StoppingError: grpc.StatusCode.UNAVAILABLE,
    NotReadyError: grpc.StatusCode.UNAVAILABLE,
    LoadRefusedError: grpc.StatusCode.FAILED_PRECONDITION,
    UnknownVersionError: grpc.StatusCode.NOT_FOUND,
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    DeniedError: grpc.StatusCode.PERMISSION_DENIED,
    OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ExpiredError: grpc.StatusCode.DEADLINE_EXCEEDED,
    FeedbackRateError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackOffError: grpc.StatusCode.UNIMPLEMENTED,
    FeedbackNotFoundError: grpc.StatusCode.NOT_FOUND,
    FeedbackError: grpc.StatusCode.UNAVAILABLE,
}
"""A class stands for its subclasses too, unless one of them stands before it.

What is not here is unforeseen, and is sent as INTERNAL.
"""

_log = logging.getLogger(__name__)

_Answer = Callable[[Any, Any], Awaitable[Any]]
_Answers = Callable[[Any, Any], AsyncIterator[Any]]
_Parse = Callable[[bytes], Any]
_Context = grpc.aio.ServicerContext[Any, Any]

Step = Callable[[str, _Context], None]
"""Full name of the method, and the call."""


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code and the sentence that a client is sent."""
    for kind, code in STATUS.items():
        if isinstance(error, kind):
            return code, str(error)
    return grpc.StatusCode.INTERNAL, "internal error"


class Translator:
    """Lets no exception of a call reach gRPC untranslated: gRPC would send its text to the client. Tells of each call.

    It is put around the handlers when they are registered. As a gRPC interceptor it would be asked for every call anew,
    which takes a tenth of what a call takes in all.

    Attributes:
        under_way: How many calls are being answered now.
        steps: What is done first in each call.
        arrivals: Which calls are on their way.
    """

    def __init__(self, observer: Observer, steps: Iterable[Step] = (), arrivals: Arrivals | None = None) -> None:
        """Translate.

        Args:
            observer: Is told of each call that has ended.
            steps: What is done first in each call, in the call's own context; it may raise like a handler.
            arrivals: Is told of each call that is accepted, and of each that begins.
        """
        self.steps = tuple(steps)
        self.under_way = 0
        self.arrivals = arrivals or Arrivals()
        self._observer = observer

    def on(self, server: grpc.aio.Server) -> "Registrar":
        """What to register our own servicers on, in the server's place: `add_…Servicer_to_server(servicer, this)`."""
        return Registrar(server, self._around, self.arrivals)

    def _around(self, method: str, handler: Any) -> Any:
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
            with _UnderWay(self, method, context) as call:
                try:
                    call.begin()
                    return await answer(parse(data), context)
                except grpc.aio.AbortError:  # the handler has chosen a status itself
                    raise
                except Exception as error:  # noqa: BLE001 — the last place to log it, and to keep it from the client
                    await call.refuse(error)

        return translating

    def _stream(self, answer: _Answers, parse: _Parse, method: str) -> _Answers:
        async def translating(data: AsyncIterator[bytes], context: _Context) -> AsyncIterator[Any]:
            with _UnderWay(self, method, context) as call:
                try:
                    call.begin()
                    async for response in answer((parse(item) async for item in data), context):
                        yield response
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 — as above
                    await call.refuse(error)

        return translating

    def ended(self, call: Call) -> None:
        """A call is no longer under way."""
        self.under_way -= 1
        self._observer.answered(call)


class Registrar:
    """Takes the handlers that generated code registers, and registers them on a server with something around each."""

    def __init__(
        self, server: grpc.aio.Server, around: Callable[[str, Any], Any], arrivals: Arrivals | None = None
    ) -> None:
        self._server = server
        self._around = around
        self._arrivals = arrivals or Arrivals()

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Register the methods of one service."""
        methods = {f"/{service}/{name}": handler for name, handler in handlers.items()}
        wrapped = {method: self._around(method, handler) for method, handler in methods.items()}
        # As generic handlers alone: grpcio's asyncio server waits for the next call of each registered method in a
        # task of its own, and goes through all of those tasks for every call.
        self._server.add_generic_rpc_handlers((_Lookup(wrapped, self._arrivals),))

    def add_generic_rpc_handlers(self, _handlers: object) -> None:
        """The same methods once more, as generated code gives them; they cannot be listed."""


class _Lookup(grpc.GenericRpcHandler):
    """Finds handlers by their method's full name. gRPC asks once it has accepted a call, and then reads the message."""

    def __init__(self, handlers: Mapping[str, Any], arrivals: Arrivals) -> None:
        self._handlers = handlers
        self._arrivals = arrivals

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method; None where there is no such method."""
        method = handler_call_details.method
        self._arrivals.accept(method)
        return self._handlers.get(method)


class _UnderWay:
    """One call, from its begin to its end. A class, not a generator: every call makes one."""

    __slots__ = ("_context", "_method", "_over", "_start", "_translator")

    def __init__(self, translator: Translator, method: str, context: _Context) -> None:
        self._translator, self._method, self._context = translator, method, context
        self._start, self._over = perf_counter(), False

    def __enter__(self) -> Self:
        self._translator.under_way += 1
        return self

    def begin(self) -> None:
        """Take the first steps; take note of the deadline, which may have passed already."""
        self._translator.arrivals.begin()
        for step in self._translator.steps:
            step(self._method, self._context)
        remaining = self._context.time_remaining()
        if remaining is not None:
            expires.set(monotonic() + remaining)
            check_deadline()

    async def refuse(self, error: Exception) -> Never:
        """Answer with the status of an error. The call has ended before its client knows, as where all went well."""
        code, sentence = status_of(error)
        if code is grpc.StatusCode.INTERNAL:
            _log.error("%s failed for an unforeseen reason", self._method, exc_info=error)
        about = ((REQUEST_ID, request_id.get()), (ERROR_METADATA, type(error).__name__))
        self._end(code)
        await self._context.abort(code, sentence, (*about, *_retry_hints(error)))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._over:
            return
        if kind is None:
            self._end(grpc.StatusCode.OK)
        elif issubclass(kind, grpc.aio.AbortError):
            self._end(_code(self._context))
        else:  # the client has gone, or its deadline has passed
            self._end(grpc.StatusCode.CANCELLED)

    def _end(self, code: grpc.StatusCode) -> None:
        self._over = True
        self._translator.ended(Call(self._method, code, perf_counter() - self._start))


def _code(context: _Context) -> grpc.StatusCode:
    """The status that a handler has chosen; gRPC keeps it as a number."""
    found = context.code()
    known = {code.value[0]: code for code in grpc.StatusCode}
    return found if isinstance(found, grpc.StatusCode) else known.get(found, grpc.StatusCode.UNKNOWN)


def _retry_hints(error: Exception) -> tuple[tuple[str, str], ...]:
    """When to come again: for people who read `retry-after-ms`, and for gRPC's clients, which obey the other."""
    if not isinstance(error, OverloadedError):
        return ()
    milliseconds = str(round(error.retry_after * 1000))
    return ("retry-after-ms", milliseconds), ("grpc-retry-pushback-ms", milliseconds)
