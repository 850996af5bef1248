"""What the service makes of each version: whether it is loaded, refused, pinned, or a canary."""

import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

__all__ = ["FELL_BACK", "VersionGauges"]

FELL_BACK = "fallback"
"""The reason why a version is refused from which the service has fallen back."""

Key = tuple[str, str]
"""A version and the digest of its weights."""


class VersionGauges:
    """The gauges of one process about versions."""

    def __init__(self, registry: CollectorRegistry, label: Callable[[str], str], other: str) -> None:
        """Show nothing yet.

        Args:
            registry: Holds the gauges.
            label: Gives the label of a version: the version, or `other` where too many have series already.
            other: That label.
        """
        self._label = label
        self._other = other
        self._shown: set[Key] = set()
        self._refusals: dict[str, set[Gauge]] = {}
        self._refusing = threading.Lock()
        self._pinned = ""
        self._loaded_gauge = Gauge(
            "numeral_model_loaded",
            "Processes in which a version is loaded.",
            ("version", "weights_sha256"),
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._refused_gauge = Gauge(
            "numeral_model_refused",
            "1 if a version could not be loaded (reason: the class of the error), or must not serve (fallback).",
            ("version", "reason"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._pinned_gauge = Gauge(
            "numeral_model_pinned",
            "1 while a version is pinned: it answers all calls that name none.",
            ("version",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._canary_gauge = Gauge(
            "numeral_canary_share",
            "Share of the calls which name no version that a canary shall answer, 0 to 1; by its name in the setting.",
            ("canary",),
            multiprocess_mode="livemax",
            registry=registry,
        )

    def canary(self, name: str, share: float) -> None:
        """Show which share of the calls a canary shall answer."""
        self._canary_gauge.labels(name).set(share)

    def refuse(self, version: str, reason: str) -> None:
        """Show that a version is refused, until it is loaded. May be called from any thread."""
        gauge = self._refused_gauge.labels(self._label(version), reason)
        with self._refusing:
            gauge.set(1)
            self._refusals.setdefault(version, set()).add(gauge)

    def pin(self, pinned: str) -> None:
        """Show which version is pinned; "" for none."""
        if pinned == self._pinned:
            return
        for version, shown in ((self._pinned, 0), (pinned, 1)):
            if version:
                self._pinned_gauge.labels(self._label(version)).set(shown)
        self._pinned = pinned

    def follow(self, loaded: set[Key]) -> set[Key]:
        """Show what is loaded.

        Returns:
            What no longer is.
        """
        gone = self._shown - loaded
        for key in gone:
            self._loaded_as(*key).set(0)
        for key in loaded - self._shown:
            self._loaded_as(*key).set(1)
            with self._refusing:
                for gauge in self._refusals.pop(key[0], ()):
                    gauge.set(0)
        self._shown = loaded
        return gone

    def _loaded_as(self, version: str, digest: str) -> Gauge:
        label = self._label(version)
        return self._loaded_gauge.labels(label, self._other if label == self._other else digest)
