"""The status of a running server, from its `/metrics` and its answers over gRPC."""

import http.client
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc

from core.errors import NumeralError
from protos.inference.open_inference_pb2 import RepositoryIndexRequest
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from service.client.connection import Connection

__all__ = ["Source", "Status", "Version", "read", "source_of"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

LOOK_SECONDS = 3.0
"""How long one look may take."""

LARGEST_PAGE = 64 * 1024 * 1024
"""Bytes of the metrics that are read; those of the service have some hundred thousand."""


@dataclass(frozen=True)
class Source:
    """Where the status comes from.

    Attributes:
        metrics: The URL of the metrics.
        versions: Asks the server for the version, state and reason of each; raises NumeralError if it does not answer.
        address: `host:port` of the server, to be shown.
    """

    metrics: str
    versions: Callable[[], "Iterable[Version]"]
    address: str


@dataclass(frozen=True)
class Version:
    """The status of one version.

    Attributes:
        version: Its name.
        state: READY, LOADING or UNAVAILABLE.
        reason: Why it is not ready.
        processes: The number of processes in which it is loaded.
        images: The number of images that it has computed.
        input_drift: How far the pictures differ from those of the training, see `service.telemetry.drift`.
        digit_drift: The same for the digits that it reads.
    """

    version: str
    state: str
    reason: str = ""
    processes: int = 0
    images: int = 0
    input_drift: float | None = None
    digit_drift: float | None = None


@dataclass(frozen=True)
class Status:
    """The status of a server at one moment.

    Attributes:
        at: Seconds since 1970.
        address: The address of the server.
        troubles: What could not be read, in words.
        requests: The number of calls that have ended, by status.
        rates: Calls per second since the previous look, by status; empty at the first look.
        latency: Seconds that calls took since the previous look (at the first look: since the start), by quantile.
        in_flight: The number of calls in flight.
        queue: The number of pictures that are waiting.
        totals: Counters such as swaps.
        repository: Seconds since the repository was last seen as a whole (`last_look_seconds`; −1: not yet), and how
            many entries in it are damaged and reads of it hang; empty without metrics.
        versions: The status of each version.
    """

    at: float
    address: str
    troubles: tuple[str, ...] = ()
    requests: dict[str, int] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    in_flight: int = 0
    queue: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    repository: dict[str, int] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()
    _buckets: dict[float, float] = field(default_factory=dict, repr=False)


@contextmanager
def source_of(connection: Connection, metrics: str) -> Iterator[Source]:
    """A server and its metrics, for as long as the context lasts.

    Args:
        connection: How the server is reached.
        metrics: The URL of its metrics.
    """
    channel = connection.channel()
    stub = GRPCInferenceServiceStub(channel)  # type: ignore[no-untyped-call]

    def versions() -> list[Version]:
        try:
            found = stub.RepositoryIndex(RepositoryIndexRequest(), **connection.call_options(LOOK_SECONDS))
        except grpc.RpcError as error:
            raise connection.translated(error, LOOK_SECONDS) from error
        return [Version(one.version, one.state, one.reason) for one in found.models]

    with channel:
        yield Source(metrics, versions, connection.address)


_TOTALS = ("swaps", "load_failures", "rejections", "dropped", "fallbacks", "shadow_images", "shadow_disagreements")


def read(source: Source, before: Status | None = None) -> Status:
    """Look once.

    Args:
        source: Where to look.
        before: The result of the previous look, for rates.
    """
    now, troubles = time.time(), []
    samples: list[Any] = []
    try:
        samples = _scrape(source.metrics)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error) or type(error).__name__
        troubles.append(f"no metrics at {source.metrics} ({reason}); serve with --metrics-port to see them")
    else:
        if not any(sample.name.startswith("numeral_") for sample in samples):
            troubles.append(f"no metrics of the service at {source.metrics}; is that another program's port?")
    versions = {one.version: one for one in _loaded(samples)}
    try:
        for answered in source.versions():
            known = versions.get(answered.version, answered)
            versions[answered.version] = replace(known, state=answered.state, reason=answered.reason)
    except NumeralError as error:
        troubles.append(str(error))
    buckets = {float(s.labels["le"]): 0.0 for s in samples if s.name == "numeral_request_seconds_bucket"}
    for sample in samples:
        if sample.name == "numeral_request_seconds_bucket":
            buckets[float(sample.labels["le"])] += sample.value
    found = Status(
        at=now,
        address=source.address,
        troubles=tuple(troubles),
        requests={code: int(n) for code, n in _by(samples, "numeral_requests_total", "code").items()},
        in_flight=int(_sum(samples, "numeral_calls_in_flight")),
        queue=int(_sum(samples, "numeral_queue_pictures")),
        totals={name: int(_sum(samples, f"numeral_{name}_total")) for name in _TOTALS} if samples else {},
        repository=_repository(samples, now) if samples else {},
        versions=tuple(sorted(versions.values(), key=lambda one: (len(one.version), one.version))),
        _buckets=buckets,
    )
    return _since(found, before)


def _since(found: Status, before: Status | None) -> Status:
    """The status with rates and latencies since the previous look; after a restart of the server, since the restart."""
    restarted = before is None or any(found.requests.get(code, 0) < n for code, n in before.requests.items())
    if before is None or restarted or found.at <= before.at:
        return replace(found, latency=_quantiles(found._buckets))
    seconds = found.at - before.at
    rates = {code: (n - before.requests.get(code, 0)) / seconds for code, n in found.requests.items()}
    new = {le: n - before._buckets.get(le, 0.0) for le, n in found._buckets.items()}
    return replace(found, rates=rates, latency=_quantiles(new))


def _quantiles(buckets: dict[float, float]) -> dict[str, float]:
    """Quantiles of a histogram, linear within a bucket, like Prometheus's `histogram_quantile`."""
    edges = sorted(buckets)
    total = buckets[edges[-1]] if edges else 0
    if not total:
        return {}
    found = {}
    for name, share in QUANTILES.items():
        low, under = 0.0, 0.0
        for edge in edges:
            if buckets[edge] >= share * total:
                inside = buckets[edge] - under
                found[name] = low if edge == float("inf") else low + (edge - low) * (share * total - under) / inside
                break
            low, under = edge, buckets[edge]
    return found


def _scrape(url: str) -> list[Any]:
    from prometheus_client.parser import text_string_to_metric_families

    # Without the proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=LOOK_SECONDS) as response:
        text = response.read(LARGEST_PAGE).decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def _loaded(samples: list[Any]) -> list[Version]:
    processes = _by(samples, "numeral_model_loaded", "version")
    images = _by(samples, "numeral_images_total", "version")
    drift, digits = (_by(samples, f"numeral_{what}_drift", "version") for what in ("input", "digit"))
    return [
        Version(name, "READY", "", int(count), int(images.get(name, 0)), drift.get(name), digits.get(name))
        for name, count in processes.items()
        if count
    ]


def _repository(samples: list[Any], now: float) -> dict[str, int]:
    last_look = _sum(samples, "numeral_repository_last_look_timestamp_seconds")
    return {
        "last_look_seconds": round(max(0.0, now - last_look)) if last_look else -1,
        "damaged_entries": int(_sum(samples, "numeral_repository_damaged_entries")),
        "hanging_reads": int(_sum(samples, "numeral_storage_hanging_reads")),
    }


def _by(samples: list[Any], name: str, label: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in samples:
        if sample.name == name:
            found[sample.labels[label]] = found.get(sample.labels[label], 0.0) + sample.value
    return found


def _sum(samples: list[Any], name: str) -> float:
    return sum(float(sample.value) for sample in samples if sample.name == name)
