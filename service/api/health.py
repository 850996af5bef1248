"""grpc.health.v1: whether the service can answer.

grpcio-health-checking has a servicer for asyncio too, and its messages are used here. But there, a client that stops
watching takes the notices of all other watchers with it, and watchers would hold up a drain until its very end.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

__all__ = ["Health"]

_Context = grpc.aio.ServicerContext[Any, Any]


class Health(health_pb2_grpc.HealthServicer):
    """Says SERVING as long as a model answers, NOT_SERVING before, while it is unloaded, and while draining."""

    def __init__(self, services: Iterable[str]) -> None:
        """Begin with NOT_SERVING.

        Args:
            services: Full names of the services that share one health; "" is the server as a whole.
        """
        self._services = frozenset(services)
        self._status: int = HealthCheckResponse.NOT_SERVING
        self._draining = False
        self._changed = asyncio.Event()  # replaced at each change, so that each watcher waits for the next one

    def is_serving(self) -> bool:
        """Whether the server as a whole says SERVING."""
        return self._status == HealthCheckResponse.SERVING

    def serving(self) -> None:
        """A model answers. While draining, this changes nothing."""
        if not self._draining:
            self._set(HealthCheckResponse.SERVING)

    def waiting(self) -> None:
        """No model answers: none is loaded yet, or an operator has unloaded it."""
        self._set(HealthCheckResponse.NOT_SERVING)

    def drain(self) -> None:
        """Say NOT_SERVING for good, and end the streams of those who watch."""
        self._draining = True
        self._set(HealthCheckResponse.NOT_SERVING)

    def _set(self, status: int) -> None:
        if status != self._status or self._draining:
            self._status = status
            self._changed.set()
            self._changed = asyncio.Event()

    def _of(self, service: str) -> HealthCheckResponse:
        known = service in self._services
        return HealthCheckResponse(status=self._status if known else HealthCheckResponse.SERVICE_UNKNOWN)

    async def Check(self, request: HealthCheckRequest, context: _Context) -> HealthCheckResponse:  # noqa: N802 — gRPC's name
        """The health now; NOT_FOUND for a service that is not here."""
        if request.service not in self._services:
            known = ", ".join(sorted(filter(None, self._services)))
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here; known: {known}")
        return self._of(request.service)

    async def Watch(self, request: HealthCheckRequest, _context: _Context) -> AsyncIterator[HealthCheckResponse]:  # noqa: N802 — gRPC's name
        """The health now, and then each change of it."""
        sent = None
        while True:
            changed, last = self._changed, self._draining  # both may change while a response is sent
            response = self._of(request.service)
            if response != sent:
                yield response
                sent = response
            if last:
                return
            await changed.wait()
