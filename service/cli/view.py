"""`python -m service status`: what a running server does, read from its `/metrics` and asked over gRPC."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import grpc
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from core.errors import NumeralError
from protos.inference.open_inference_pb2 import RepositoryIndexRequest
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from service.client.connection import Connection
from service.telemetry.seen import TICK_SECONDS

__all__ = ["Place", "Status", "Version", "document", "place_of", "read", "watch"]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

LOOK_SECONDS = 3.0
"""How long one look may take."""

DRIFTED = 0.25
"""The index above which pictures count as unlike those of the training: see `service.telemetry.drift`."""


@dataclass(frozen=True)
class Place:
    """Where to look.

    Attributes:
        metrics: `host:port` of the metrics.
        versions: Asks the server for version, state and reason of each; raises NumeralError where it cannot be asked.
        address: `host:port` of the server, for people.
    """

    metrics: str
    versions: Callable[[], "Iterable[Version]"]
    address: str


@dataclass(frozen=True)
class Version:
    """One version.

    Attributes:
        version: Its name.
        state: READY, LOADING or UNAVAILABLE.
        reason: Why it is not ready.
        processes: In how many processes it is loaded.
        images: How many it has read.
        input_drift: How far the pictures have moved from those of the training.
        digit_drift: How far the digits that it reads have.
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
    """What was found at one moment.

    Attributes:
        at: Seconds since 1970.
        address: Of the server.
        troubles: What could not be read, in words.
        requests: How many calls have ended, by status.
        rates: Calls a second since the look before, by status; empty at the first look.
        latency: Seconds of the calls since the look before, or of all: by quantile.
        in_flight: Calls under way.
        queue: Pictures that wait.
        totals: Counters such as swaps.
        versions: What is known of each version.
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
    versions: tuple[Version, ...] = ()
    _buckets: dict[float, float] = field(default_factory=dict, repr=False)


@contextmanager
def place_of(connection: Connection, metrics: str) -> Iterator[Place]:
    """A server and its metrics, for as long as the context lasts.

    Args:
        connection: How the server is reached.
        metrics: `host:port` of its metrics.
    """
    target, options = connection.target, connection.options
    secure = connection.credentials
    channel = grpc.secure_channel(target, secure, options) if secure else grpc.insecure_channel(target, options)
    stub = GRPCInferenceServiceStub(channel)  # type: ignore[no-untyped-call]

    def versions() -> list[Version]:
        try:
            found = stub.RepositoryIndex(RepositoryIndexRequest(), **connection.call_options(LOOK_SECONDS))
        except grpc.RpcError as error:
            raise connection.translated(error, LOOK_SECONDS) from error
        return [Version(one.version, one.state, one.reason) for one in found.models]

    with channel:
        yield Place(metrics, versions, connection.address)


_TOTALS = ("swaps", "load_failures", "rejections", "dropped", "fallbacks", "shadow_images", "shadow_disagreements")


def read(place: Place, before: Status | None = None) -> Status:
    """Look once.

    Args:
        place: Where.
        before: What the look before has found, to tell rates.
    """
    now, troubles = time.time(), []
    samples: list[Any] = []
    try:
        samples = _scrape(place.metrics)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        troubles.append(f"no metrics at {place.metrics} ({reason}); serve with --metrics-port to see them")
    versions = {one.version: one for one in _loaded(samples)}
    try:
        for told in place.versions():
            known = versions.get(told.version, told)
            versions[told.version] = replace(known, state=told.state, reason=told.reason)
    except NumeralError as error:
        troubles.append(str(error))
    buckets = {float(s.labels["le"]): 0.0 for s in samples if s.name == "numeral_request_seconds_bucket"}
    for sample in samples:
        if sample.name == "numeral_request_seconds_bucket":
            buckets[float(sample.labels["le"])] += sample.value
    found = Status(
        at=now,
        address=place.address,
        troubles=tuple(troubles),
        requests={code: int(n) for code, n in _by(samples, "numeral_requests_total", "code").items()},
        in_flight=int(_sum(samples, "numeral_calls_in_flight")),
        queue=int(_sum(samples, "numeral_queue_pictures")),
        totals={name: int(_sum(samples, f"numeral_{name}_total")) for name in _TOTALS} if samples else {},
        versions=tuple(sorted(versions.values(), key=lambda one: (len(one.version), one.version))),
        _buckets=buckets,
    )
    return _since(found, before)


def _since(found: Status, before: Status | None) -> Status:
    """With what has happened since the look before; a server that was started anew meanwhile begins at 0."""
    restarted = before is None or any(found.requests.get(code, 0) < n for code, n in before.requests.items())
    if before is None or restarted or found.at <= before.at:
        return replace(found, latency=_quantiles(found._buckets))
    seconds = found.at - before.at
    rates = {code: (n - before.requests.get(code, 0)) / seconds for code, n in found.requests.items()}
    new = {le: n - before._buckets.get(le, 0.0) for le, n in found._buckets.items()}
    return replace(found, rates=rates, latency=_quantiles(new))


def _quantiles(buckets: dict[float, float]) -> dict[str, float]:
    """Quantiles of a histogram, linear within a bucket, as Prometheus's `histogram_quantile` has them."""
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


def _scrape(address: str) -> list[Any]:
    from prometheus_client.parser import text_string_to_metric_families

    # Straight there, whatever proxy the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}/metrics", timeout=LOOK_SECONDS) as response:
        text = response.read().decode()
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


def _by(samples: list[Any], name: str, label: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in samples:
        if sample.name == name:
            found[sample.labels[label]] = found.get(sample.labels[label], 0.0) + sample.value
    return found


def _sum(samples: list[Any], name: str) -> float:
    return sum(float(sample.value) for sample in samples if sample.name == name)


def document(status: Status) -> str:
    """As one JSON document."""
    shown = asdict(status)
    del shown["_buckets"]
    return json.dumps(shown)


def watch(place: Place, *, once: bool, console: Console) -> Status:
    """Show it, again and again until Ctrl-C, or once.

    Returns:
        What was found last.
    """
    status = read(place)
    if once:
        console.print(_picture(status))
        return status
    with Live(_picture(status), console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(TICK_SECONDS)
                status = read(place, status)
                live.update(_picture(status), refresh=True)
        except KeyboardInterrupt:
            return status


def _picture(status: Status) -> Group:
    parts: list[Any] = [Text(f"{status.address}   {time.strftime('%H:%M:%S', time.localtime(status.at))}", "bold")]
    parts += [Text(trouble, "yellow") for trouble in status.troubles]
    if status.requests:
        parts.append(_calls(status))
    if status.totals:
        words = [f"{name.replace('_', ' ')} {count:,}" for name, count in status.totals.items()]
        parts.append(Text(f"in flight {status.in_flight}   queue {status.queue}   " + "   ".join(words)))
    if status.versions:
        parts.append(_versions(status.versions))
    return Group(*parts)


def _calls(status: Status) -> Table:
    table = Table("status", title="calls", title_justify="left")
    for column in ("in all", "a second"):
        table.add_column(column, justify="right")
    for code, count in sorted(status.requests.items(), key=lambda item: -item[1]):
        rate = f"{status.rates[code]:,.1f}" if code in status.rates else ""
        table.add_row(code, f"{count:,}", rate, style="" if code == "OK" else "red")
    if status.latency:
        table.caption = "   ".join(f"{name} {seconds * 1e3:.3g} ms" for name, seconds in status.latency.items())
    return table


def _versions(versions: Iterable[Version]) -> Table:
    table = Table("version", "state", title="versions", title_justify="left")
    for column in ("processes", "images", "input drift", "digit drift"):
        table.add_column(column, justify="right")
    table.add_column("reason")
    for one in versions:
        drifts = [
            Text("" if score is None else f"{score:.3f}", "red" if score and score > DRIFTED else "")
            for score in (one.input_drift, one.digit_drift)
        ]
        style = {"READY": "green", "LOADING": "yellow"}.get(one.state, "red")
        table.add_row(one.version, Text(one.state, style), str(one.processes), f"{one.images:,}", *drifts, one.reason)
    return table
