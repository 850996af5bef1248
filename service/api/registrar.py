"""Registers the handlers of generated code on a server, with something wrapped around each of them."""

from collections.abc import Callable, Mapping
from typing import Any

import grpc

from service.api.open_calls import OpenCalls
from service.recognition.arrivals import Arrivals

__all__ = ["Registrar"]


class Registrar:
    """Takes the place of the server in `add_…Servicer_to_server(servicer, server)`, and wraps each handler."""

    def __init__(
        self,
        server: grpc.aio.Server,
        wrap: Callable[[str, Any], Any],
        calls: OpenCalls | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        """Register on a server.

        Args:
            server: The server.
            wrap: The full name of a method and its handler → the handler to register.
            calls: Counts each call from here on until it is answered.
            arrivals: Notified of each call that is accepted.
        """
        self._server = server
        self._wrap = wrap
        self._calls = calls or OpenCalls()
        self._arrivals = arrivals or Arrivals()

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Register the methods of one service."""
        methods = {f"/{service}/{name}": handler for name, handler in handlers.items()}
        wrapped = {method: self._wrap(method, handler) for method, handler in methods.items()}
        # As generic handlers only: for each registered method, grpcio's asyncio server keeps a task that waits for the
        # next call, and it goes through all of these tasks for every call.
        self._server.add_generic_rpc_handlers((_Lookup(wrapped, self._calls, self._arrivals),))

    def add_generic_rpc_handlers(self, _handlers: object) -> None:
        """Ignore the same methods in their other form, which generated code passes too: it cannot be enumerated."""


class _Lookup(grpc.GenericRpcHandler):
    """Finds handlers by the full name of their method. gRPC asks when it has accepted a call, before it reads it."""

    def __init__(self, handlers: Mapping[str, Any], calls: OpenCalls, arrivals: Arrivals) -> None:
        self._handlers = handlers
        self._calls = calls
        self._arrivals = arrivals

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method; None if there is no such method."""
        method = handler_call_details.method
        handler = self._handlers.get(method)
        if handler is not None:  # gRPC asks for the handlers of each service in turn
            self._calls.accept()
            self._arrivals.accept(method)
        return handler
