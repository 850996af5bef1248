"""Metrics: an observer that counts, for Prometheus, what the service does."""

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Histogram

from core.inference.answers import Answers
from service.call import Call
from service.observer import Observer
from service.roles import ROLES
from service.telemetry.drift import Window
from service.telemetry.series import Series
from service.telemetry.version_gauges import FELL_BACK, VersionGauges

if TYPE_CHECKING:
    from datetime import datetime

    from service.loaded import Loaded

__all__ = ["ERROR", "NOT_A_DIGIT", "NOT_FINITE", "OTHER", "Metrics"]

OTHER = "other"
"""The label of everything beyond the known methods and the first versions: the number of series must be bounded."""

NOT_A_DIGIT = "NotADigit"
"""The reason of pictures that were computed, and that the version refuses to take for a digit."""

ERROR = "Error"
"""The reason of images that a version failed to compute."""

NOT_FINITE = "NotFinite"
"""The reason of images that a version has computed, and for which one of its numbers is not finite."""

MOST_VERSIONS = 100
"""The most versions that get series of their own in the lifetime of one process."""


class _PerVersion:
    """The series of one version, and what is counted between ticks."""

    def __init__(self, series: Series, loaded: "Loaded", label: str) -> None:
        spread = loaded.manifest.spread
        self.label = label
        self.compute_seconds = series.compute_seconds.labels(label)
        self.batch_images = series.batch_images
        self.images = series.images.labels(label)
        self.not_finite = series.failures.labels(label, NOT_FINITE)
        self.digits = [series.digits.labels(label, name) for name in loaded.manifest.labels]
        self.counted = np.zeros(len(self.digits), np.int64)
        self.computed = 0
        self.window = Window(spread) if spread else None


class Metrics(Observer):
    """Counts what the service does.

    Attributes:
        registry: Holds the series of this process.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self._series = Series()
        self.registry = self._series.registry
        self._calls: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._versions: dict[tuple[str, str], _PerVersion] = {}
        self._labels: set[str] = set()
        self._gauges = VersionGauges(self.registry, self._label, OTHER)

    def canary(self, name: str, share: float) -> None:
        """Show which share of the calls a canary shall answer; called once, before any call."""
        self._gauges.canary(name, share)

    # events of the service

    def answered(self, call: Call) -> None:
        """Count the call by method and status."""
        key = call.method, call.code.name
        found = self._calls.get(key)
        if found is None:
            method = call.method[1:] if call.method in ROLES else OTHER
            found = self._series.requests.labels(method, call.code.name), self._series.request_seconds.labels(method)
            if method != OTHER:
                self._calls[key] = found
        requests, seconds = found
        requests.inc()
        seconds.observe(call.seconds)

    def computed(self, loaded: "Loaded", images: NDArray[np.uint8], answers: Answers, seconds: float) -> None:
        """Count the batch."""
        per_version = self._count(loaded, images, answers)
        per_version.compute_seconds.observe(seconds)
        per_version.batch_images.observe(len(images))

    def found(self, loaded: "Loaded", images: NDArray[np.uint8], answers: Answers, seconds: float) -> None:
        """Count the digits of the picture."""
        self._count(loaded, images, answers)
        self._series.many_seconds.observe(seconds)
        self._series.many_digits.observe(len(images))

    def rejected(self, loaded: "Loaded", reason: str) -> None:
        """Count the picture."""
        self._series.rejections.labels(self._label(loaded.version), reason).inc()

    def failed(self, loaded: "Loaded", images: int) -> None:
        """Count the images."""
        self._series.failures.labels(self._label(loaded.version), ERROR).inc(images)

    def dropped(self, reason: str, pictures: int) -> None:
        """Count the pictures."""
        self._series.dropped_pictures.labels(reason).inc(pictures)

    def refused(self, reason: str, role: str = "") -> None:
        """Count the refusal by reason, and by role if a quota is the reason."""
        self._series.refusals.labels(reason, role).inc()

    def decoded(self, pictures: int, seconds: float) -> None:  # noqa: ARG002 — a duration per call, not per picture
        """Record the duration."""
        self._series.decode_seconds.observe(seconds)

    def swapped(self, loaded: "Loaded") -> None:  # noqa: ARG002 — `numeral_model_loaded` names it
        """Count the swap."""
        self._series.swaps.inc()

    def load_failed(self, version: str, reason: str) -> None:
        """Count the failure by reason, and show the version as refused."""
        self._series.load_failures.labels(reason).inc()
        self._gauges.refuse(version, reason)

    def looked(self, *, reached: bool, faults: int, hanging: int) -> None:
        """Note the time, and what was found."""
        if reached:
            self._series.last_look.set_to_current_time()
        self._series.faults.set(faults)
        self._series.hanging_reads.set(hanging)

    def shadowed(self, loaded: "Loaded", images: int, disagreed: int) -> None:
        """Count the images."""
        label = self._label(loaded.version)
        self._series.shadow_images.labels(label).inc(images)
        self._series.shadow_disagreements.labels(label).inc(disagreed)

    def fell_back(self, left: str, taken: str) -> None:  # noqa: ARG002 — the log names it
        """Count the return, and show the version as refused."""
        self._series.fallbacks.inc()
        self._gauges.refuse(left, FELL_BACK)

    def feedback(self, outcome: str) -> None:
        """Count the item by outcome."""
        self._series.feedbacks.labels(outcome).inc()

    def handshake(self) -> None:
        """Count the handshake."""
        self._series.tls_handshakes.inc()

    def certificate(self, file: str, begins: "datetime", ends: "datetime") -> None:
        """Show the times, in seconds since 1970."""
        self._series.tls_not_before.labels(file).set(begins.timestamp())
        self._series.tls_not_after.labels(file).set(ends.timestamp())

    def reloaded(self, secret: str, usable: bool) -> None:
        """Show whether the files can be used, and that they were looked at."""
        self._series.reload_success.labels(secret).set(usable)
        self._series.reload_look.labels(secret).set_to_current_time()

    def self_checked(self, address: str, succeeded: bool) -> None:
        """Show whether it succeeded."""
        self._series.tls_self_check.labels(address).set(succeeded)

    def _count(self, loaded: "Loaded", images: NDArray[np.uint8], answers: Answers) -> _PerVersion:
        """Count images and rejections; images and digits are added up until the next tick."""
        per_version = self._versions.get((loaded.version, loaded.weights_sha256)) or self._begin(loaded)
        digits = answers.probabilities.argmax(axis=1)
        if rejected := int(np.count_nonzero(answers.rejected)):
            self._series.rejections.labels(per_version.label, NOT_A_DIGIT).inc(rejected)
            digits[answers.rejected] = -1
        if not isfinite(np.add.reduce(answers.probabilities, axis=None)):  # a sum is finite only if every term is
            per_version.not_finite.inc(int(np.count_nonzero(~np.isfinite(answers.probabilities).all(axis=1))))
        # One higher, because bincount takes no −1; the place of the rejected ones is then left out.
        per_version.counted += np.bincount(digits + 1, minlength=len(per_version.counted) + 1)[1:]
        per_version.computed += len(images)
        if per_version.window:
            per_version.window.add(images, digits)
        return per_version

    # once a second

    def tick(
        self, *, loaded: Iterable[tuple[str, str]], in_flight: int, queue: int, queue_seconds: float, pinned: str = ""
    ) -> None:
        """Update the series that are too costly to update at each call. Quick enough for the event loop.

        Args:
            loaded: The versions that are loaded, each with the digest of its weights.
            in_flight: The number of calls in flight.
            queue: The number of pictures that are waiting.
            queue_seconds: How long the encoded ones among them will keep the decoding threads busy.
            pinned: The version that an operator has pinned; "" if none is.
        """
        self._series.in_flight.set(in_flight)
        self._series.queue.set(queue)
        self._series.queue_seconds.set(queue_seconds)
        for per_version in self._versions.values():
            self._write(per_version)
        self._follow(set(loaded))
        self._gauges.pin(pinned)

    def _follow(self, loaded: set[tuple[str, str]]) -> None:
        """Show what is loaded, and forget what no longer is: its window takes memory."""
        for key in self._gauges.follow(loaded):
            gone = self._versions.pop(key, None)
            if gone and gone.window:
                self._series.drift.labels(gone.label).set(0)
                self._series.digit_drift.labels(gone.label).set(0)

    def _write(self, per_version: _PerVersion) -> None:
        if not per_version.computed:
            return
        per_version.images.inc(per_version.computed)
        per_version.computed = 0
        for digit in np.flatnonzero(per_version.counted):
            per_version.digits[digit].inc(int(per_version.counted[digit]))
        per_version.counted[:] = 0
        if per_version.window:
            gauges = self._series.drift, self._series.digit_drift
            for gauge, score in zip(gauges, per_version.window.tick(), strict=True):
                if score is not None:
                    gauge.labels(per_version.label).set(score)

    def _begin(self, loaded: "Loaded") -> _PerVersion:
        per_version = _PerVersion(self._series, loaded, self._label(loaded.version))
        self._versions[loaded.version, loaded.weights_sha256] = per_version
        return per_version

    def _label(self, version: str) -> str:
        """The version, or OTHER if too many versions have series already."""
        if version not in self._labels:
            if len(self._labels) >= MOST_VERSIONS:
                return OTHER
            self._labels.add(version)
        return version
