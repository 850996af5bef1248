"""What Prometheus scrapes of a scheduler, over real HTTP."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.errors import ConfigError
from pipelines.schedule.journal import Journal, Success
from pipelines.schedule.metrics import exposed

AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def scraped(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name.removeprefix("numeral_retraining_"): sample.value for sample in samples}


def test_before_the_first_run_no_time_is_given_and_all_is_not_well(tmp_path: Path, port: int) -> None:
    with exposed(tmp_path, port, "127.0.0.1"):
        assert scraped(port) == {"rejections_in_a_row": 0, "healthy": 0}


def test_each_scrape_reads_what_the_runs_have_recorded_since(tmp_path: Path, port: int) -> None:
    journal = Journal(tmp_path)
    with exposed(tmp_path, port, "127.0.0.1"):
        journal.started("one")
        journal.succeeded(Success(at=AT, outcome="published", version=1, promoted=True, recipe="mlp"))
        found = scraped(port)
        assert (found["last_success_timestamp_seconds"], found["last_promotion_timestamp_seconds"]) == (
            AT.timestamp(),
            AT.timestamp(),
        )
        assert "last_failure_timestamp_seconds" not in found
        for _ in range(3):
            journal.succeeded(Success(at=AT, outcome="rejected", version=2, promoted=False, recipe="mlp"))
        journal.failed("the disk is full")
        found = scraped(port)
        assert found["rejections_in_a_row"] == 3
        assert found["last_failure_timestamp_seconds"] > AT.timestamp()
    with pytest.raises(httpx.ConnectError):
        scraped(port)


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{number} for metrics: .* another --met"),
            exposed(tmp_path, number, "127.0.0.1"),
        ):
            pytest.fail("it listens")
