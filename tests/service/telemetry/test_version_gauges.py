"""What a server shows of each version, for those who compare two of them: failures, refusals, a pin, a canary."""

import time

import numpy as np
from prometheus_client import generate_latest

from core.inference.answers import Answers
from core.inference.predict import load
from service.loaded import Loaded
from service.telemetry.metrics import Metrics
from tests.patience import eventually
from tests.service.scraped import scrape, series
from tests.service.tiny_model import damage, publish, weights_file
from tests.service.written import CROSS, publish_refusing

IDLE = {"in_flight": 0, "queue": 0, "queue_seconds": 0.0}


def version_of(repository, number: int) -> Loaded:
    predictor, manifest = load(repository, number)
    return Loaded.of(number, predictor, manifest)


def answered(*rows: float) -> Answers:
    """Answers whose probabilities are these, row by row."""
    return Answers(
        np.repeat(np.array(rows, np.float32)[:, np.newaxis], 10, axis=1),
        np.ones(len(rows), np.float32),
        np.zeros(len(rows), bool),
    )


def test_failures_are_counted_by_version_and_reason(repository):
    versions = [version_of(repository, publish(repository, seed=seed)) for seed in (1, 2)]
    metrics = Metrics()
    metrics.computed(versions[0], np.zeros((3, 28, 28), np.uint8), answered(0.1, np.nan, np.inf), 0.0)
    metrics.computed(versions[1], np.zeros((1, 28, 28), np.uint8), answered(0.1), 0.0)
    metrics.failed(versions[1], 5)
    metrics.tick(loaded=(), **IDLE)
    found = series(generate_latest(metrics.registry).decode())
    assert [found("numeral_failures_total", version="1", reason=why) for why in ("NotFinite", "Error")] == [2, 0]
    assert [found("numeral_failures_total", version="2", reason=why) for why in ("NotFinite", "Error")] == [0, 5]
    assert [found("numeral_images_total", version=version) for version in "12"] == [3, 1]


def test_rejections_are_counted_by_the_version_that_rejects(repository, folder, serve, connect, free_port):
    publish_refusing(repository)
    publish_refusing(repository, promote=False)
    server = serve(folder, metrics_port=free_port, serve_also="2")
    client = connect(server.address)
    eventually(lambda: client.health() == "SERVING")
    client.recognize(CROSS)
    for _ in range(2):
        client.recognize(CROSS, model_version="2")
    found = scrape(f"127.0.0.1:{free_port}")
    assert [found("numeral_rejections_total", version=version, reason="NotADigit") for version in "12"] == [1, 2]


def test_a_version_is_shown_as_refused_until_it_can_be_loaded(repository, folder, serve, free_port):
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    sound = damage(weights_file(folder, 2))
    serve(folder, metrics_port=free_port)
    repository.alias().promote(2, by="tests", why="damaged")

    def refused() -> float:
        return scrape(f"127.0.0.1:{free_port}")("numeral_model_refused", version="2", reason="DamagedVersionError")

    eventually(refused)
    weights_file(folder, 2).write_bytes(sound)
    eventually(lambda: not refused())


def test_a_version_that_the_service_fell_back_from_is_shown_as_refused():
    metrics = Metrics()
    metrics.fell_back("2", "1")
    metrics.tick(loaded=[("1", "a" * 64)], **IDLE)
    assert series(generate_latest(metrics.registry).decode())("numeral_model_refused", version="2", reason="fallback")


def test_the_share_of_a_canary_and_the_pinned_version_are_shown(repository, folder, serve, connect, free_port):
    publish(repository, seed=1)
    server = serve(folder, metrics_port=free_port, canary="challenger:25%")
    client = connect(server.address)
    eventually(lambda: client.health() == "SERVING")
    where = f"127.0.0.1:{free_port}"
    assert scrape(where)("numeral_canary_share", canary="challenger") == 0.25
    assert scrape(where)("numeral_model_pinned") == 0
    client.pin("1")
    eventually(lambda: scrape(where)("numeral_model_pinned", version="1") == 1)
    client.pin("")
    eventually(lambda: scrape(where)("numeral_model_pinned", version="1") == 0)


def test_several_processes_show_one_start_which_is_that_of_the_counters(repository, folder, start, free_port):
    before = time.time()
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--metrics-port", free_port, "--workers", 2)
    process.listening()
    where = f"127.0.0.1:{free_port}"
    eventually(lambda: scrape(where)("numeral_model_loaded", version="1") == 2)
    assert before <= scrape(where)("numeral_start_timestamp_seconds") <= time.time()
