"""grpc.health.v1: whether the service can answer.

grpcio-health-checking has a servicer for asyncio too, and its messages are used here. But its `Watch` loses the
notifications of all watchers when one of them leaves, and its watchers keep a server from draining until the very end.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from service.texts import quoted

__all__ = ["Health"]

_Context = grpc.aio.ServicerContext[Any, Any]


class Health(health_pb2_grpc.HealthServicer):
    """SERVING as long as a version answers; NOT_SERVING before that, while unloaded, and while draining."""

    def __init__(self, services: Iterable[str]) -> None:
        """Begin with NOT_SERVING.

        Args:
            services: The full names of the services, all of which share one status; "" is the server as a whole.
        """
        self._services = frozenset(services)
        self._status: int = HealthCheckResponse.NOT_SERVING
        self._draining = False
        self._changed = asyncio.Event()  # replaced at each change, so that each watcher waits for the next one

    def is_serving(self) -> bool:
        """Whether the status is SERVING."""
        return self._status == HealthCheckResponse.SERVING

    def serving(self) -> None:
        """Report that a version answers. While draining, this changes nothing."""
        if not self._draining:
            self._set(HealthCheckResponse.SERVING)

    def waiting(self) -> None:
        """Report that no version answers: none is loaded yet, or an operator has unloaded the model."""
        self._set(HealthCheckResponse.NOT_SERVING)

    def drain(self) -> None:
        """Report NOT_SERVING for good, and end the streams of the watchers."""
        self._draining = True
        self._set(HealthCheckResponse.NOT_SERVING)

    def _set(self, status: int) -> None:
        if status != self._status or self._draining:
            self._status = status
            self._changed.set()
            self._changed = asyncio.Event()

    def statuses(self) -> dict[str, int]:
        """The status of each service, by its full name; "" is the server as a whole."""
        return dict.fromkeys(sorted(self._services), self._status)

    def _of(self, service: str) -> HealthCheckResponse:
        known = service in self._services
        return HealthCheckResponse(status=self._status if known else HealthCheckResponse.SERVICE_UNKNOWN)

    async def Check(self, request: HealthCheckRequest, context: _Context) -> HealthCheckResponse:  # noqa: N802 — gRPC's name
        """The current status; NOT_FOUND for an unknown service."""
        if request.service not in self._services:
            known = ", ".join(sorted(filter(None, self._services)))
            sentence = f"no service {quoted(request.service)} here; known: {known}"
            await context.abort(grpc.StatusCode.NOT_FOUND, sentence)
        return self._of(request.service)

    async def Watch(self, request: HealthCheckRequest, _context: _Context) -> AsyncGenerator[HealthCheckResponse, None]:  # noqa: N802 — gRPC's name
        """The current status, and then each change of it."""
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
