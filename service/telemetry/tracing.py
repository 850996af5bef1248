"""OpenTelemetry traces: a span for each call, and in it a span for decoding and one for computing.

Imported only if OpenTelemetry's variables ask for traces: it needs the packages of the extra `tracing`.
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

from core.inference.answers import Answers
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
"""The statuses that mark a server's span as an error, by OpenTelemetry's semantic conventions for gRPC."""


class Tracing(Observer):
    """Creates spans, and exports them to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names."""

    def __init__(self) -> None:
        """Set up the exporter, as OpenTelemetry's own variables say."""
        # The attributes in the environment come last, so they take precedence.
        resource = Resource.create({SERVICE_NAME: "numeral"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("numeral")

    def enter(self, method: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Begin the span of a call, as a part of the caller's trace if the metadata name one.

        Args:
            method: The full name of the method, e.g. `/numeral.v1.Recognizer/Recognize`.
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
        attach(trace.set_span_in_context(span))  # in the context of the call's task, which ends with it: no detach

    def answered(self, call: Call) -> None:
        """End the span of the call, with its status."""
        span = trace.get_current_span()
        span.set_attribute("rpc.grpc.status_code", call.code.value[0])
        if call.code in _AT_FAULT:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def decoded(self, pictures: int, seconds: float) -> None:
        """Add a span for decoding to the trace of the call."""
        self._add("decode", seconds, {"numeral.pictures": pictures})

    def computed(
        self,
        loaded: Loaded,
        images: NDArray[np.uint8],
        answers: Answers,
        seconds: float,
    ) -> None:
        """Add a span for computing to the trace of the call; for a batch of several calls, to that of the first."""
        self._add("compute", seconds, {"numeral.batch_size": len(images), **_about(loaded, answers)})

    def found(
        self,
        loaded: Loaded,
        images: NDArray[np.uint8],
        answers: Answers,
        seconds: float,
    ) -> None:
        """Add a span for the reading of all digits in a picture to the trace of the call."""
        self._add("find digits", seconds, {"numeral.digits": len(images), **_about(loaded, answers)})

    def _add(self, name: str, seconds: float, attributes: Mapping[str, str | int]) -> None:
        end = time.time_ns()
        start = end - round(seconds * 1e9)
        self._tracer.start_span(name, attributes=attributes, start_time=start).end(end)

    def stop(self, timeout: float = 2.0) -> None:
        """Export what is left, for at most `timeout` seconds: an unreachable collector must not delay the shutdown."""
        last = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
        last.start()
        last.join(timeout)


def _about(loaded: Loaded, answers: Answers) -> dict[str, str | int]:
    """The attributes of every span in which a version answers; the answers themselves are not traced."""
    return {"numeral.version": loaded.version, "numeral.rejected": int(np.count_nonzero(answers.rejected))}
