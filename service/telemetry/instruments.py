"""The instruments of one process: metrics, access log and traces, as the settings ask for them."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ConfigError
from service.observer import Observer
from service.settings import Settings
from service.telemetry.exposition import MULTIPROCESS, Endpoint, registry_of
from service.telemetry.logs import AccessLog
from service.telemetry.naming import Naming

if TYPE_CHECKING:
    from service.telemetry.metrics import Metrics
    from service.telemetry.tracing import Tracing

__all__ = ["TICK_SECONDS", "Gauges", "Instruments"]

TICK_SECONDS = 1.0
"""How often the gauges are read."""


@dataclass(frozen=True)
class Gauges:
    """Values that are read at regular intervals.

    Attributes:
        loaded: The versions that are loaded, each with the digest of its weights.
        in_flight: The number of calls in flight.
        queue: The number of pictures that are waiting.
        queue_seconds: How long the encoded ones among them will keep the decoding threads busy.
        pinned: The version that an operator has pinned; "" if none is.
        serving: Whether calls can be answered; may be called from any thread.
    """

    loaded: Callable[[], Iterable[tuple[str, str]]]
    in_flight: Callable[[], int]
    queue: Callable[[], int]
    queue_seconds: Callable[[], float]
    pinned: Callable[[], str]
    serving: Callable[[], bool]


class Instruments:
    """The instruments of one process, to be started and stopped as one.

    Attributes:
        observers: Those of the service's events, for `Observers`.
        steps: The first steps of each call, for `Interceptor`.
    """

    def __init__(self, settings: Settings) -> None:
        """Create the instruments that are asked for. The packages of the others are not imported.

        Raises:
            ConfigError: Traces are asked for, but their packages are not installed.
        """
        self._settings = settings
        self._metrics = _metrics() if settings.metrics_port is not None else None
        self._tracing = _tracing()
        self.observers: list[Observer] = [o for o in (self._metrics, self._tracing) if o]
        if settings.access_log:
            self.observers.append(AccessLog())
        self.steps = [Naming().enter, *([self._tracing.enter] if self._tracing else [])]
        self._open = ExitStack()
        self._ticks: asyncio.Task[None] | None = None

    def start(self, gauges: Gauges) -> None:
        """Begin to read the gauges, and to answer Prometheus. Each of several processes answers for all of them.

        Raises:
            ConfigError: The address for metrics cannot be listened on.
        """
        if self._metrics is None:
            return
        if canary := self._settings.wishes.canary:
            self._metrics.canary(canary.name, canary.fraction)
        folder = os.environ.get(MULTIPROCESS)
        registry = registry_of(Path(folder)) if folder else self._metrics.registry
        self._open.enter_context(Endpoint(self._settings, registry, gauges.serving, shared=folder is not None))
        self._ticks = asyncio.create_task(_tick(self._metrics, gauges))

    async def stop(self) -> None:
        """Stop; a second time, this does nothing."""
        if self._ticks:
            self._ticks.cancel()
            await asyncio.gather(self._ticks, return_exceptions=True)
        await asyncio.to_thread(self._open.close)
        if self._tracing:
            await asyncio.to_thread(self._tracing.stop)


async def _tick(metrics: "Metrics", gauges: Gauges) -> None:
    try:
        while True:
            metrics.tick(
                loaded=gauges.loaded(),
                in_flight=gauges.in_flight(),
                queue=gauges.queue(),
                queue_seconds=gauges.queue_seconds(),
                pinned=gauges.pinned(),
            )
            await asyncio.sleep(TICK_SECONDS)
    finally:  # record what was counted since the last tick
        metrics.tick(loaded=(), in_flight=0, queue=0, queue_seconds=0.0)


def _metrics() -> "Metrics":
    from service.telemetry.metrics import Metrics

    return Metrics()


def _tracing() -> "Tracing | None":
    wanted = any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}ENDPOINT") for name in ("", "TRACES_"))
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from service.telemetry.tracing import Tracing
    except ImportError as error:
        raise ConfigError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT asks for traces: {error}; run: pip install 'numeral[service,tracing]'"
        ) from error
    return Tracing()
