"""OpenTelemetry traces, where the usual variables ask for them: a span for each call, in it one for decoding and one
for computing.

Imported where traces are on, and only then: what it needs is the extra `tracing`.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from opentelemetry import propagate, trace
from opentelemetry.context import attach
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from service.call import Call
from service.loaded import Loaded
from service.observer import Observer

__all__ = ["Tracing"]

_AT_FAULT = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""The statuses that make the span of a server an error, by OpenTelemetry's conventions for gRPC."""


class Tracing(Observer):
    """Makes spans, and sends them to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names."""

    def __init__(self) -> None:
        """Begin; all is set by OpenTelemetry's own variables."""
        # What the environment says of the resource comes last, and wins.
        resource = Resource.create({SERVICE_NAME: "numeral"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("numeral")

    def enter(self, method: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Begin the span of a call; part of the caller's trace where its metadata name one.

        Args:
            method: In full, e.g. `/numeral.v1.Recognizer/Recognize`.
            context: The call.
        """
        service, _, name = method[1:].rpartition("/")
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        span = self._tracer.start_span(
            method[1:],
            context=propagate.extract(metadata),
            kind=SpanKind.SERVER,
            attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": name},
        )
        attach(trace.set_span_in_context(span))  # for the call's own task: nothing to take back when that ends

    def answered(self, call: Call) -> None:
        """End the span of the call, with how the call has ended."""
        span = trace.get_current_span()
        span.set_attribute("rpc.grpc.status_code", call.code.value[0])
        if call.code in _AT_FAULT:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def decoded(self, pictures: int, seconds: float) -> None:
        """Add the time to the trace of the call."""
        self._past("decode", seconds, {"numeral.pictures": pictures})

    def computed(
        self,
        loaded: Loaded,
        images: NDArray[np.uint8],
        probabilities: NDArray[np.float32],  # noqa: ARG002 — an answer is nobody else's
        seconds: float,
    ) -> None:
        """Add the time to the trace of the call, or, where calls were computed together, of the first of them."""
        self._past("compute", seconds, {"numeral.version": loaded.version, "numeral.batch_size": len(images)})

    def _past(self, name: str, seconds: float, attributes: Mapping[str, str | int]) -> None:
        end = time.time_ns()
        start = end - round(seconds * 1e9)
        self._tracer.start_span(name, attributes=attributes, start_time=start).end(end)

    def stop(self, timeout: float = 2.0) -> None:
        """Send what is left, for at most `timeout` seconds: a collector that is away holds up no shutdown."""
        last = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(timeout)
