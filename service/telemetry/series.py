"""The series that Prometheus sees: every counter, histogram and gauge of the service, by name, labels and meaning.

If `PROMETHEUS_MULTIPROC_DIR` is set when this is imported, prometheus-client keeps all values in files there, and
`service.telemetry.exposition` shows their sum over the processes.
"""

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Series", "replaced_workers"]

_CALL_SECONDS = (5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_COMPUTE_SECONDS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1)
_DECODE_SECONDS = (5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_MANY_DIGITS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)
_BATCH_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Series:
    """The series of one process.

    Attributes:
        registry: Holds all of them; every other attribute is one of the series.
    """

    def __init__(self) -> None:
        """Create them, at zero."""
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("numeral_requests", "Calls that have ended.", ("method", "code"), registry=registry)
        self.request_seconds = Histogram(
            "numeral_request_seconds",
            "From the first byte of a request to the last byte of the response; for a stream, how long it was open.",
            ("method",),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self.compute_seconds = Histogram(
            "numeral_compute_seconds",
            "Duration of the forward pass of a batch.",
            ("version",),
            buckets=_COMPUTE_SECONDS,
            registry=registry,
        )
        self.decode_seconds = Histogram(
            "numeral_decode_seconds",
            "Duration of decoding the pictures of a call, including the wait for a thread.",
            buckets=_DECODE_SECONDS,
            registry=registry,
        )
        self.batch_images = Histogram(
            "numeral_batch_images", "Images in a batch.", buckets=_BATCH_IMAGES, registry=registry
        )
        self.many_seconds = Histogram(
            "numeral_many_seconds",
            "Duration of finding and reading all digits of a picture, including decoding and the wait for a thread.",
            buckets=_DECODE_SECONDS,
            registry=registry,
        )
        self.many_digits = Histogram(
            "numeral_many_digits", "Digits found in such a picture.", buckets=_MANY_DIGITS, registry=registry
        )
        self.images = Counter("numeral_images", "Images that were computed.", ("version",), registry=registry)
        self.digits = Counter(
            "numeral_digits",
            "Digits that were read; rejected images are not among them.",
            ("version", "digit"),
            registry=registry,
        )
        self.rejections = Counter(
            "numeral_rejections",
            "Pictures that cannot be read or show no digit; NotADigit: the network has seen them, and refuses them.",
            ("version", "reason"),
            registry=registry,
        )
        self.failures = Counter(
            "numeral_failures",
            "Images that a version failed to compute (Error), or for which a number is not finite (NotFinite).",
            ("version", "reason"),
            registry=registry,
        )
        self.dropped_pictures = Counter(
            "numeral_dropped",
            "Pictures that were not computed: their caller no longer waited.",
            ("reason",),
            registry=registry,
        )
        self.refusals = Counter(
            "numeral_refusals",
            "Calls and requests of streams that were refused because of the load; the role is that of a token over its "
            "quota.",
            ("reason", "role"),
            registry=registry,
        )
        self.swaps = Counter(
            "numeral_swaps", "Versions that have begun to serve; each process counts.", registry=registry
        )
        self.load_failures = Counter(
            "numeral_load_failures",
            "Versions that could not be loaded; each process counts.",
            ("reason",),
            registry=registry,
        )
        self.last_look = Gauge(
            "numeral_repository_last_look_timestamp_seconds",
            "When the repository was last seen as a whole; 0: not yet. Of several processes, the one that lags most.",
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.faults = Gauge(
            "numeral_repository_damaged_entries",
            "Entries of the repository that cannot be read, or are not what belongs there; the log names them.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.hanging_reads = Gauge(
            "numeral_storage_hanging_reads",
            "Reads of the storage that were left behind because they did not end in time.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.fallbacks = Counter("numeral_fallbacks", "Automatic returns to an earlier version.", registry=registry)
        self.replaced_workers = replaced_workers(registry)
        self.shadow_images = Counter(
            "numeral_shadow_images", "Images that a shadow has computed too.", ("version",), registry=registry
        )
        self.shadow_disagreements = Counter(
            "numeral_shadow_disagreements",
            "Images in which a shadow read another digit, or one of the two read none.",
            ("version",),
            registry=registry,
        )
        self.feedbacks = Counter("numeral_feedback", "True digits that users sent.", ("outcome",), registry=registry)
        self.drift = Gauge(
            "numeral_input_drift",
            "Population stability index of the images against the training images; above 0.25, they differ much.",
            ("version",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.digit_drift = Gauge(
            "numeral_digit_drift",
            "The same for the digits that were read, without rejected images.",
            ("version",),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.start = Gauge(
            "numeral_start_timestamp_seconds",
            "When this server started, in seconds since 1970; its counters began at zero then.",
            multiprocess_mode="min",
            registry=registry,
        )
        self.start.set_to_current_time()
        self.in_flight = Gauge(
            "numeral_calls_in_flight", "Calls in flight.", multiprocess_mode="livesum", registry=registry
        )
        self.queue = Gauge(
            "numeral_queue_pictures", "Pictures that are waiting.", multiprocess_mode="livesum", registry=registry
        )
        self.tls_handshakes = Counter(
            "numeral_tls_handshakes",
            "TLS handshakes that have begun, those that failed and those of the service with itself included.",
            registry=registry,
        )
        self.tls_not_before = Gauge(
            "numeral_tls_certificate_not_before_timestamp_seconds",
            "When the certificates in use became valid; by file: certificate or client_ca.",
            ("file",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.tls_not_after = Gauge(
            "numeral_tls_certificate_not_after_timestamp_seconds",
            "When the first of the certificates in use ends; by file: certificate or client_ca.",
            ("file",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.tls_self_check = Gauge(
            "numeral_tls_self_check_success",
            "1 if the last TLS handshake of the service with itself showed a valid certificate, 0 if not.",
            ("address",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.reload_success = Gauge(
            "numeral_reload_success",
            "1 if the files could be used when they were last read, 0 if what was read earlier is used instead; "
            "by secret: certificate or tokens.",
            ("secret",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.reload_look = Gauge(
            "numeral_reload_last_look_timestamp_seconds",
            "When the files were last looked at, whether they could be used or not.",
            ("secret",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.queue_seconds = Gauge(
            "numeral_queue_seconds",
            "Seconds for which the encoded pictures that are waiting will keep the decoding threads busy.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        build = Gauge(
            "numeral_build_info",
            "The version of Numeral that is running.",
            ("version", "python"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        build.labels(_own_version(), platform.python_version()).set(1)


def replaced_workers(registry: CollectorRegistry) -> Counter:
    """The only series that the supervisor counts."""
    return Counter(
        "numeral_workers_replaced",
        "Worker processes that were replaced: they ended by themselves, or were silent and had to be killed.",
        ("reason",),
        registry=registry,
    )


def _own_version() -> str:
    try:
        return version("numeral")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "checkout"
