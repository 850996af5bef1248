"""What surrounds every call of the service's own methods: first steps, deadline, errors as status, and the record."""

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, Never, Self, cast

import grpc

from service.api.budget import Budget
from service.api.open_calls import OpenCalls
from service.api.open_streams import OpenStreams
from service.api.receiving import Receiving
from service.api.registrar import Registrar
from service.api.status import status_of
from service.api.text_limits import check_texts
from service.api.unread import Unread
from service.call import Call, check_deadline, expires, request_id
from service.errors import OverloadedError, without_traces
from service.observer import Observer
from service.recognition.arrivals import Arrivals
from service.wire import ERROR_METADATA, REQUEST_ID

__all__ = ["Interceptor", "Step"]

_log = logging.getLogger(__name__)

_Answer = Callable[[Any, Any], Awaitable[Any]]
_Answers = Callable[[Any, Any], AsyncGenerator[Any, None]]
_Parse = Callable[[bytes], Any]
_Serialize = Callable[[Any], bytes]
_Context = grpc.aio.ServicerContext[Any, Any]

NO_MESSAGE = "the call has no message; send one request"

Step = Callable[[str, _Context], None]
"""A first step of a call: takes the full name of the method and the call, and may raise like a handler."""


class Interceptor:
    """Turns every exception of a call into a status, as gRPC would send its text to the client; and reports the call.

    It is wrapped around the handlers when they are registered. gRPC would consult an interceptor of its own kind again
    for every call, which takes a tenth of the time of the call.

    Attributes:
        in_flight: The number of calls that are being answered.
        steps: The first steps of each call.
        arrivals: The calls that have been accepted, but not yet read.
    """

    def __init__(
        self,
        observer: Observer,
        steps: Iterable[Step] = (),
        arrivals: Arrivals | None = None,
        streams: OpenStreams | None = None,
        unread: Unread | None = None,
        receiving: Receiving | None = None,
    ) -> None:
        """Intercept nothing yet: see `on`.

        Args:
            observer: Notified of each call that has ended.
            steps: Run first in each call, in the context of the call.
            arrivals: Notified of each call that is accepted, and of each that begins.
            streams: Opens the streams; None for streams without a common limit.
            unread: Limits the answers that clients do not read; None for no limit.
            receiving: Reads single requests; None to do so without a limit of what arrives.
        """
        self.steps = tuple(steps)
        self.in_flight = 0
        self.arrivals = arrivals or Arrivals()
        self._observer = observer
        self._streams = streams or OpenStreams(Budget(sys.maxsize))
        self._unread = unread or Unread(sys.maxsize)
        self._receiving = receiving or Receiving()

    def on(self, server: grpc.aio.Server, calls: OpenCalls | None = None) -> Registrar:
        """What to register servicers on in place of the server: `add_…Servicer_to_server(servicer, this)`.

        Args:
            server: The server.
            calls: Counts each call until it is answered.
        """
        return Registrar(server, self._wrap, calls, self.arrivals)

    def _wrap(self, method: str, handler: Any) -> Any:
        # Messages are parsed here rather than by gRPC, so that bytes that cannot be parsed are an error like any other;
        # and answers to single requests are serialized here, so that their size is known. Each method is registered as
        # one whose requests are a stream, so that single requests are read here too: see `service.api.receiving`.
        parse, serialize = handler.request_deserializer or bytes, handler.response_serializer or bytes
        if handler.unary_unary is not None:
            unary = self._unary(handler.unary_unary, parse, serialize, method)
            return grpc.stream_unary_rpc_method_handler(unary)
        if handler.unary_stream is not None:
            answers = self._unary_stream(cast("_Answers", handler.unary_stream), parse, method)
            return grpc.stream_stream_rpc_method_handler(answers, None, serialize)
        if handler.stream_stream is not None:
            answers = self._stream(cast("_Answers", handler.stream_stream), parse, method)
            return grpc.stream_stream_rpc_method_handler(answers, None, serialize)
        # Only a servicer added to this code can bring another kind; calls to it would bypass parsing and counting.
        raise NotImplementedError(f"{method}: a stream of requests with one response is not supported")

    def _unary(self, answer: _Answer, parse: _Parse, serialize: _Serialize, method: str) -> _Answer:
        async def intercepted(_data: object, context: _Context) -> bytes:
            data = await self._message(method, context)
            with _InFlight(self, method, context) as call:
                try:
                    call.begin()
                    response = serialize(await answer(_request(data, parse), context))
                    self._unread.add(context, len(response))
                except grpc.aio.AbortError:  # the handler has chosen a status itself
                    raise
                except Exception as error:  # noqa: BLE001 — the last place to log it, and to keep it from the client
                    data = response = b""  # gRPC's own error keeps this frame until the garbage collector comes
                    await call.refuse(error)
                return response

        return intercepted

    # What answers with a stream writes each answer itself, rather than yield it to gRPC: so it knows when the client
    # has taken it, and can give the status of an error even if a client takes nothing.

    def _unary_stream(self, answer: _Answers, parse: _Parse, method: str) -> _Answer:
        async def intercepted(_data: object, context: _Context) -> None:
            data = await self._message(method, context)
            with _InFlight(self, method, context) as call:
                try:
                    call.begin()
                    async with aclosing(answer(_request(data, parse), context)) as responses:
                        async for response in responses:
                            await context.write(response)
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 — as above
                    await call.refuse(error)

        return intercepted

    def _stream(self, answer: _Answers, parse: _Parse, method: str) -> _Answer:
        async def intercepted(_data: object, context: _Context) -> None:
            with _InFlight(self, method, context) as call:
                try:
                    call.begin()
                    with self._streams.requests(method, context, parse) as requests:
                        async with aclosing(answer(requests, context)) as responses:
                            async for response in responses:
                                await requests.write(response)
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 — as above
                    await call.refuse(error)

        return intercepted

    async def _message(self, method: str, context: _Context) -> bytes:
        """The single request of a call; the call ends here if it has none, or too much of it is held incomplete."""
        try:
            data = await self._receiving.read(context)
        except OverloadedError as error:
            with _InFlight(self, method, context) as call:
                await call.refuse(error)
        if data is grpc.aio.EOF:  # or the client has gone, and this reaches nobody
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, NO_MESSAGE)
        return cast("bytes", data)

    def ended(self, call: Call) -> None:
        """Take note of a call that is no longer in flight."""
        self.in_flight -= 1
        self._observer.answered(call)


class _InFlight:
    """One call, from its begin to its end. A class rather than a generator, for speed: every call creates one."""

    __slots__ = ("_context", "_interceptor", "_method", "_over", "_start")

    def __init__(self, interceptor: Interceptor, method: str, context: _Context) -> None:
        self._interceptor, self._method, self._context = interceptor, method, context
        self._start, self._over = perf_counter(), False

    def __enter__(self) -> Self:
        self._interceptor.in_flight += 1
        return self

    def begin(self) -> None:
        """Run the first steps, and note the deadline, which may have passed already."""
        self._interceptor.arrivals.begin()
        for step in self._interceptor.steps:
            step(self._method, self._context)
        remaining = self._context.time_remaining()
        if remaining is not None:
            expires.set(monotonic() + remaining)
            check_deadline()

    async def refuse(self, error: Exception) -> Never:
        """Send the status of an error. The call is reported before the client has the reply, as after success."""
        code, sentence = status_of(error)
        if code is grpc.StatusCode.INTERNAL:
            _log.error("%s failed for an unforeseen reason", self._method, exc_info=error)
        without_traces(error)
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
        else:  # the client has gone, or the deadline has passed
            self._end(grpc.StatusCode.CANCELLED)

    def _end(self, code: grpc.StatusCode) -> None:
        self._over = True
        self._interceptor.ended(Call(self._method, code, perf_counter() - self._start))


def _request(data: bytes, parse: _Parse) -> Any:
    """The request in the bytes of a message; its texts are not too long."""
    request = parse(data)
    check_texts(request, len(data))
    return request


def _code(context: _Context) -> grpc.StatusCode:
    """The status that a handler has chosen; gRPC stores it as a number."""
    found = context.code()
    known = {code.value[0]: code for code in grpc.StatusCode}
    return found if isinstance(found, grpc.StatusCode) else known.get(found, grpc.StatusCode.UNKNOWN)


def _retry_hints(error: Exception) -> tuple[tuple[str, str], ...]:
    """When to try again: `retry-after-ms` for people, the other key for gRPC's clients, which obey it."""
    if not isinstance(error, OverloadedError):
        return ()
    milliseconds = str(round(error.retry_after * 1000))
    return ("retry-after-ms", milliseconds), ("grpc-retry-pushback-ms", milliseconds)
