"""What Prometheus is told: counters, histograms and gauges of one process, or of one of several that count together.

Where `PROMETHEUS_MULTIPROC_DIR` is set when this is imported, prometheus-client keeps all values in files there, and
whoever reads the folder (`service.telemetry.exposition`) sees the sum over the processes.
"""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.call import Call
from service.observer import Observer
from service.roles import ROLES
from service.telemetry.drift import Window

if TYPE_CHECKING:
    from service.loaded import Loaded

__all__ = ["OTHER", "Metrics"]

OTHER = "other"
"""The label of all that has no series of its own, so that no client and no long life can make series without end."""

MOST_VERSIONS = 100
"""How many versions have series of their own in the life of one process; files that are counted in forget none."""

_CALL_SECONDS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_COMPUTE_SECONDS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1)
_DECODE_SECONDS = (5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_BATCH_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class _PerVersion:
    """The series of one version, found once; and what is counted up until the next tick."""

    def __init__(self, metrics: "Metrics", loaded: "Loaded", label: str) -> None:
        spread = loaded.manifest.spread
        self.label = label
        self.compute_seconds = metrics.compute_seconds.labels(label)
        self.images = metrics.images.labels(label)
        self.digits = [metrics.digits.labels(label, name) for name in loaded.manifest.labels]
        self.counted = np.zeros(len(self.digits), np.int64)
        self.window = Window(spread) if spread else None


class Metrics(Observer):
    """Counts what the service does.

    Attributes:
        registry: Holds the series of this process.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("numeral_requests", "Calls that have ended.", ("method", "code"), registry=registry)
        self.request_seconds = Histogram(
            "numeral_request_seconds",
            "From the first byte of a request to the last of the response; for a stream, how long it was open.",
            ("method",),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self.compute_seconds = Histogram(
            "numeral_compute_seconds",
            "Forward passes, of one batch each.",
            ("version",),
            buckets=_COMPUTE_SECONDS,
            registry=registry,
        )
        self.decode_seconds = Histogram(
            "numeral_decode_seconds",
            "From encoded pictures to images, of one call each, the wait for a thread included.",
            buckets=_DECODE_SECONDS,
            registry=registry,
        )
        self.batch_images = Histogram(
            "numeral_batch_images", "Images in one forward pass.", buckets=_BATCH_IMAGES, registry=registry
        )
        self.images = Counter("numeral_images", "Images that were read.", ("version",), registry=registry)
        self.digits = Counter("numeral_digits", "Digits that were read.", ("version", "digit"), registry=registry)
        self.rejections = Counter("numeral_rejections", "Pictures without a digit.", ("reason",), registry=registry)
        self.dropped_pictures = Counter(
            "numeral_dropped", "Pictures that nobody waited for any more.", ("reason",), registry=registry
        )
        self.swaps = Counter("numeral_swaps", "Versions that have begun to serve, in each process.", registry=registry)
        self.load_failures = Counter(
            "numeral_load_failures",
            "Versions that could not be loaded, in each process.",
            ("reason",),
            registry=registry,
        )
        self.fallbacks = Counter("numeral_fallbacks", "Returns to an earlier version by itself.", registry=registry)
        self.shadow_images = Counter(
            "numeral_shadow_images", "Images that a shadow has read too.", ("version",), registry=registry
        )
        self.shadow_disagreements = Counter(
            "numeral_shadow_disagreements", "Of these, read otherwise.", ("version",), registry=registry
        )
        self.feedbacks = Counter("numeral_feedback", "True digits that were told.", ("outcome",), registry=registry)
        self.drift = Gauge(
            "numeral_input_drift",
            "Population stability index of the images against the training images: above 0.25 they have moved.",
            ("version",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.digit_drift = Gauge(
            "numeral_digit_drift",
            "Likewise, of the digits that were read.",
            ("version",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.loaded = Gauge(
            "numeral_model_loaded",
            "In how many processes a version is loaded.",
            ("version", "weights_sha256"),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.in_flight = Gauge(
            "numeral_calls_in_flight", "Calls under way.", multiprocess_mode="livesum", registry=registry
        )
        self.queue = Gauge(
            "numeral_queue_pictures", "Pictures that wait.", multiprocess_mode="livesum", registry=registry
        )
        build = Gauge(
            "numeral_build_info",
            "Which Numeral this is.",
            ("version", "python"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        build.labels(_own_version(), platform.python_version()).set(1)
        self._calls: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._versions: dict[tuple[str, str], _PerVersion] = {}
        self._labels: set[str] = set()
        self._shown: set[tuple[str, str]] = set()

    # told by the service

    def answered(self, call: Call) -> None:
        """Count it, under its method and status."""
        key = call.method, call.code.name
        found = self._calls.get(key)
        if found is None:
            method = call.method[1:] if call.method in ROLES else OTHER
            found = self.requests.labels(method, call.code.name), self.request_seconds.labels(method)
            if method != OTHER:
                self._calls[key] = found
        requests, seconds = found
        requests.inc()
        seconds.observe(call.seconds)

    def computed(
        self, loaded: "Loaded", images: NDArray[np.uint8], probabilities: NDArray[np.float32], seconds: float
    ) -> None:
        """Count the batch; what is counted by class waits for the next tick."""
        per_version = self._versions.get((loaded.version, loaded.weights_sha256)) or self._begin(loaded)
        per_version.compute_seconds.observe(seconds)
        self.batch_images.observe(len(images))
        digits = probabilities.argmax(axis=1)
        per_version.counted += np.bincount(digits, minlength=len(per_version.counted))
        if per_version.window:
            per_version.window.add(images, digits)

    def rejected(self, loaded: "Loaded", reason: str) -> None:  # noqa: ARG002 — the picture is at fault, not the version
        """Count the picture."""
        self.rejections.labels(reason).inc()

    def dropped(self, reason: str, pictures: int) -> None:
        """Count the pictures."""
        self.dropped_pictures.labels(reason).inc(pictures)

    def decoded(self, pictures: int, seconds: float) -> None:  # noqa: ARG002 — it is the call that has waited
        """Count the time."""
        self.decode_seconds.observe(seconds)

    def swapped(self, loaded: "Loaded") -> None:  # noqa: ARG002 — `numeral_model_loaded` names it
        """Count it."""
        self.swaps.inc()

    def load_failed(self, version: str, reason: str) -> None:  # noqa: ARG002 — there may be any number of them
        """Count it, under its reason."""
        self.load_failures.labels(reason).inc()

    def shadowed(self, loaded: "Loaded", images: int, disagreed: int) -> None:
        """Count the images."""
        label = self._label(loaded.version)
        self.shadow_images.labels(label).inc(images)
        self.shadow_disagreements.labels(label).inc(disagreed)

    def fell_back(self, left: str, taken: str) -> None:  # noqa: ARG002 — the log names them
        """Count it."""
        self.fallbacks.inc()

    def feedback(self, outcome: str) -> None:
        """Count it, under what became of it."""
        self.feedbacks.labels(outcome).inc()

    # once a second

    def tick(self, *, loaded: Iterable[tuple[str, str]], in_flight: int, queue: int) -> None:
        """Write down what is not worth a write at each call. Quick enough for the event loop.

        Args:
            loaded: Version and weights' digest of all that is loaded.
            in_flight: Calls under way.
            queue: Pictures that wait.
        """
        self.in_flight.set(in_flight)
        self.queue.set(queue)
        for per_version in self._versions.values():
            self._write(per_version)
        self._follow(set(loaded))

    def _follow(self, loaded: set[tuple[str, str]]) -> None:
        """Show what is loaded, and let go of what is not any more: a window takes memory."""
        for key in self._shown - loaded:
            self._loaded_as(*key).set(0)
            gone = self._versions.pop(key, None)
            if gone and gone.window:
                self.drift.labels(gone.label).set(0)
                self.digit_drift.labels(gone.label).set(0)
        for key in loaded - self._shown:
            self._loaded_as(*key).set(1)
        self._shown = loaded

    def _write(self, per_version: _PerVersion) -> None:
        if not per_version.counted.any():
            return
        per_version.images.inc(int(per_version.counted.sum()))
        for digit in np.flatnonzero(per_version.counted):
            per_version.digits[digit].inc(int(per_version.counted[digit]))
        per_version.counted[:] = 0
        if per_version.window and (scores := per_version.window.tick()):
            self.drift.labels(per_version.label).set(scores[0])
            self.digit_drift.labels(per_version.label).set(scores[1])

    def _begin(self, loaded: "Loaded") -> _PerVersion:
        per_version = _PerVersion(self, loaded, self._label(loaded.version))
        self._versions[loaded.version, loaded.weights_sha256] = per_version
        return per_version

    def _loaded_as(self, version: str, digest: str) -> Gauge:
        label = self._label(version)
        return self.loaded.labels(label, OTHER if label == OTHER else digest)

    def _label(self, version: str) -> str:
        """The version, or OTHER where there were too many already."""
        if version not in self._labels:
            if len(self._labels) >= MOST_VERSIONS:
                return OTHER
            self._labels.add(version)
        return version


def _own_version() -> str:
    try:
        return version("numeral")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "checkout"
