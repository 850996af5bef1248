"""What Prometheus scrapes of a scheduler: how retraining goes, from the journal and the heartbeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.errors import ConfigError
from pipelines.schedule.condition import judge
from pipelines.schedule.heartbeat import Heartbeat
from pipelines.schedule.journal import Journal

__all__ = ["RetrainingCollector", "exposed"]


class RetrainingCollector(Collector):
    """Reads both files at each scrape, so the values are those that `health` judges, whichever process wrote them.

    A time that is not known, such as that of the last success before the first, has no sample: an alert must not take
    it for 1970.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        record, beat = Journal(self._data_dir).read(), Heartbeat.last(self._data_dir)
        events = {
            "success": ("the last run ended well", record.last_success if record else None),
            "promotion": (
                "a retraining last made its new version the champion",
                record.last_promotion if record else None,
            ),
            "failure": ("the last run failed", record.last_failure if record else None),
        }
        for name, (words, event) in events.items():
            at = event.at if event else None
            yield _gauge(f"last_{name}_timestamp_seconds", f"When {words}, in seconds since 1970.", _seconds(at))
        started = record.last_start if record else None
        yield _gauge("last_start_timestamp_seconds", "When the last run began.", _seconds(started))
        began = record.began if record else beat.since if beat else None
        yield _gauge("began_timestamp_seconds", "When retraining with this data folder began.", _seconds(began))
        next_run = beat.next_run if beat else None
        yield _gauge("next_run_timestamp_seconds", "When the timetable's next run is due.", _seconds(next_run))
        rejections = record.rejections if record else 0
        yield _gauge("rejections_in_a_row", "How many new versions in a row the gate has rejected.", rejections)
        healthy = judge(record, beat, datetime.now(UTC)).healthy
        yield _gauge("healthy", "Whether `python -m pipelines health` has nothing to complain about.", float(healthy))


@contextmanager
def exposed(data_dir: Path, port: int | None, host: str) -> Iterator[None]:
    """Answer Prometheus at `/metrics` while the block lasts.

    Args:
        data_dir: Whose journal and heartbeat.
        port: Where to listen; None for nowhere.
        host: The address to listen on.

    Raises:
        ConfigError: The port cannot be listened on.
    """
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(RetrainingCollector(data_dir))
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port} for metrics: {error.strerror or error}; choose another --metrics-port"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, words: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"numeral_retraining_{name}", words)
    if value is not None:
        family.add_metric([], value)
    return family


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at else None
