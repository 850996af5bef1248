"""What Prometheus sees of a running server."""

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image
from prometheus_client import generate_latest

from core.artifact.spread import spread_of
from core.errors import PictureError
from service.client import Recognizer
from service.telemetry.metrics import MOST_VERSIONS, OTHER, Metrics
from tests.patience import eventually
from tests.service.harness import Running, encoded, running
from tests.service.scraped import scrape, series
from tests.service.tiny_model import damage, publish, weights_file
from tests.service.written import CROSS, CROSS_PIXELS, DIGIT, publish_refusing

BLANK = encoded(Image.new("L", (60, 60), 255))
RECOGNIZE = "numeral.v1.Recognizer/Recognize"


@pytest.fixture
def observed(folder, free_port) -> "Callable[[], Running]":
    """Serve with metrics; `.metrics` is where they are."""
    with running(folder, metrics_port=free_port) as server:
        server.metrics = f"127.0.0.1:{free_port}"
        yield server


def test_calls_are_counted_by_method_and_status(repository, observed, connect, pixels):
    publish(repository, seed=1)
    client = connect(observed.address)
    eventually(lambda: client.health() == "SERVING")
    for _ in range(3):
        client.recognize(pixels)
    with pytest.raises(PictureError):
        client.recognize(b"no picture")
    found = scrape(observed.metrics)
    assert found("numeral_requests_total", method=RECOGNIZE, code="OK") == 3
    assert found("numeral_requests_total", method=RECOGNIZE, code="INVALID_ARGUMENT") == 1
    assert found("numeral_request_seconds_count", method=RECOGNIZE) == 4
    assert found("numeral_rejections_total", reason="PictureUnreadableError") == 1
    assert found("numeral_decode_seconds_count") == 1


def test_feedback_is_counted_by_outcome(repository, folder, serve, free_port, connect, pixels, tmp_path):
    publish(repository, seed=1)
    server = serve(folder, metrics_port=free_port, feedback=str(tmp_path / "feedback"))
    client = connect(server.address)
    for _ in range(2):
        client.send_feedback(pixels, 7)
    with pytest.raises(PictureError):
        client.send_feedback(b"no picture", 7)
    found = scrape(f"127.0.0.1:{free_port}")
    outcomes = ("stored", "repeated", "PictureUnreadableError")
    assert [found("numeral_feedback_total", outcome=outcome) for outcome in outcomes] == [1, 1, 1]


def test_batches_images_and_digits_are_counted_by_version(repository, observed, connect, pixels):
    publish(repository, seed=1)
    client = connect(observed.address)
    eventually(lambda: client.health() == "SERVING")
    digit = client.recognize(pixels).digit
    client.recognize(pixels)
    eventually(lambda: scrape(observed.metrics)("numeral_digits_total", version="1", digit=str(digit)) == 2)
    found = scrape(observed.metrics)
    assert found("numeral_images_total", version="1") == 2
    assert found("numeral_batch_images_count") == found("numeral_compute_seconds_count", version="1") == 2
    assert found("numeral_batch_images_sum") == 2
    assert found("numeral_calls_in_flight") == 0
    assert found("numeral_build_info") == 1


def test_pictures_that_a_version_refuses_are_rejections_and_not_digits(repository, observed, connect):
    publish_refusing(repository)
    client = connect(observed.address)
    eventually(lambda: client.health() == "SERVING")
    client.recognize(DIGIT)
    client.recognize_batch([CROSS, CROSS_PIXELS, BLANK])
    eventually(lambda: scrape(observed.metrics)("numeral_images_total", version="1") == 3)
    found = scrape(observed.metrics)
    assert found("numeral_digits_total", version="1") == 1
    assert found("numeral_rejections_total", reason="NotADigit") == 2
    assert found("numeral_rejections_total", reason="NoDigitError") == 1, "it is not computed"


def test_pictures_of_many_digits_are_counted_with_their_digits(repository, observed, connect):
    publish_refusing(repository)
    client = connect(observed.address)
    eventually(lambda: client.health() == "SERVING")
    client.recognize_many(DIGIT)
    client.recognize_many(CROSS)
    eventually(lambda: scrape(observed.metrics)("numeral_images_total", version="1") == 2)
    found = scrape(observed.metrics)
    assert found("numeral_many_seconds_count") == found("numeral_many_digits_count") == 2
    assert found("numeral_many_digits_sum") == 2
    assert found("numeral_rejections_total", reason="NotADigit") == 1
    assert found("numeral_digits_total", version="1") == 1


def test_when_the_repository_was_last_seen_and_what_is_damaged_in_it_are_gauges(repository, folder, observed):
    publish(repository, seed=1)
    (folder / "mnist/aliases/champion/000002.json").write_text("{")
    begin = time.time()
    eventually(lambda: scrape(observed.metrics)("numeral_repository_damaged_entries") == 1)
    eventually(lambda: scrape(observed.metrics)("numeral_repository_last_look_timestamp_seconds") > begin)
    assert scrape(observed.metrics)("numeral_storage_hanging_reads") == 0


def test_loaded_versions_are_shown_with_their_digest(repository, observed, connect, pixels):
    publish(repository, seed=1)
    eventually(lambda: scrape(observed.metrics)("numeral_model_loaded", version="1") == 1)
    publish(repository, seed=2)
    digest = repository.manifest(2).files["weights.safetensors"].sha256
    eventually(lambda: scrape(observed.metrics)("numeral_model_loaded", version="2", weights_sha256=digest) == 1)
    assert scrape(observed.metrics)("numeral_model_loaded", version="1") == 0


def test_swaps_and_failed_loads_are_counted(repository, folder, observed):
    publish(repository, seed=1)
    eventually(lambda: scrape(observed.metrics)("numeral_swaps_total") == 1)
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    repository.alias().promote(2, by="tests", why="damaged")
    eventually(lambda: scrape(observed.metrics)("numeral_load_failures_total", reason="DamagedVersionError") >= 1)
    assert scrape(observed.metrics)("numeral_swaps_total") == 1


def test_healthz_agrees_with_the_health_service(repository, observed):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://{observed.metrics}/healthz", timeout=60)
    assert caught.value.code == 503
    publish(repository, seed=1)
    eventually(lambda: healthy(observed.metrics))


def test_other_paths_of_the_endpoint_are_not_found(observed):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://{observed.metrics}/", timeout=60)
    assert caught.value.code == 404


def test_a_metrics_port_in_use_ends_the_command_with_one_sentence(repository, folder, observed, run):
    publish(repository, seed=1)
    port = observed.metrics.rpartition(":")[2]
    done = run("serve", "--repository", folder, "--port", 0, "--metrics-port", port)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port} for metrics" in done.stderr


def test_refused_calls_are_counted_without_series_for_unknown_methods(folder, free_port, tmp_path, serve):
    tokens = tmp_path / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text("predict:a-token-to-predict")
    server = serve(folder, metrics_port=free_port, tokens_file=str(tokens))
    with grpc.insecure_channel(server.address) as channel:
        for method in ("/numeral.v1.Recognizer/Recognize", "/made.up.Service/One", "/made.up.Service/Two"):
            with pytest.raises(grpc.RpcError):
                channel.unary_unary(method)(b"", timeout=60)
    found = scrape(f"127.0.0.1:{free_port}")
    assert found("numeral_requests_total", method=RECOGNIZE, code="UNAUTHENTICATED") == 1
    assert found("numeral_requests_total") == 1


def test_the_number_of_series_is_bounded_for_any_number_of_versions():
    metrics = Metrics()
    for version in range(3 * MOST_VERSIONS):
        metrics.tick(loaded=[(str(version), f"{version:064x}")], in_flight=0, queue=0, queue_seconds=0.0)
    shown = [s for family in metrics.registry.collect() for s in family.samples if s.name == "numeral_model_loaded"]
    assert len(shown) == MOST_VERSIONS + 1
    assert {s.labels["version"] for s in shown if s.value} == {OTHER}


def test_refusals_are_counted_by_reason_and_quotas_by_role():
    metrics = Metrics()
    for reason, role in (("queue", ""), ("queue", ""), ("share", ""), ("quota", "predict")):
        metrics.refused(reason, role)
    metrics.tick(loaded=(), in_flight=0, queue=3, queue_seconds=1.5)
    found = series(generate_latest(metrics.registry).decode())
    assert [found("numeral_refusals_total", reason=reason) for reason in ("queue", "share", "deadline")] == [2, 1, 0]
    assert found("numeral_refusals_total", reason="quota", role="predict") == 1
    assert (found("numeral_queue_pictures"), found("numeral_queue_seconds")) == (3, 1.5)


def test_pictures_unlike_the_training_images_show_as_drift(repository, observed, connect):
    rng = np.random.default_rng(0)
    known = rng.integers(0, 100, (2000, 28, 28), np.uint8)
    publish(repository, seed=1, spread=spread_of(known, rng.integers(0, 10, 2000).astype(np.uint8), 10))
    client = connect(observed.address)
    eventually(lambda: client.health() == "SERVING")

    def score() -> float:
        return scrape(observed.metrics)("numeral_input_drift", version="1")

    for image in known[:500]:
        client.recognize(image)
    eventually(lambda: 0 < score() < 0.1)
    for image in known[:500]:
        client.recognize(255 - image)
    eventually(lambda: score() > 0.25)


def test_processes_count_together_and_the_counts_of_a_dead_one_remain(repository, folder, start, pixels, free_port):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--metrics-port", free_port, "--workers", 2)
    address, metrics = process.listening(), f"127.0.0.1:{free_port}"
    eventually(lambda: scrape(metrics)("numeral_model_loaded", version="1") == 2)
    for _ in range(20):  # connections of their own, which the kernel shares out
        with Recognizer(address) as client:
            client.recognize(pixels)
    counted = {"method": RECOGNIZE, "code": "OK"}
    assert scrape(metrics)("numeral_requests_total", **counted) == 20
    eventually(lambda: scrape(metrics)("numeral_images_total", version="1") == 20)
    assert scrape(metrics)("numeral_build_info") == 1
    first, second = children(process.popen.pid)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: first not in children(process.popen.pid) and len(children(process.popen.pid)) == 2)
    eventually(lambda: scrape_or_nothing(metrics)("numeral_model_loaded", version="1") == 2)
    assert second in children(process.popen.pid)
    assert scrape(metrics)("numeral_requests_total", **counted) == 20


def children(pid: int) -> list[int]:
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def scrape_or_nothing(address: str) -> "Callable[..., float]":
    """A connection that broke when its worker died counts as no series at all."""
    try:
        return scrape(address)
    except OSError:
        return series("")


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=60) as response:
            return response.status == 200
    except urllib.error.HTTPError:
        return False
