"""`python -m service status` of running servers."""

import json

import pytest

from service.cli.scrape import Source, Status, Version, read
from tests.patience import eventually
from tests.service.tiny_model import damage, publish, weights_file


@pytest.fixture
def server(repository, folder, free_port, start):
    """A process that serves version 1; version 2 is damaged."""
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    process = start("serve", "--repository", folder, "--port", 0, "--metrics-port", free_port, "--workers", 1)
    process.where = ("--address", process.listening(), "--metrics", f"127.0.0.1:{free_port}")
    return process


def test_status_prints_calls_versions_and_reasons_as_one_json_document(repository, server, connect, pixels, run):
    client = connect(server.where[1])
    eventually(lambda: client.health() == "SERVING")
    for _ in range(3):
        client.recognize(pixels)
    repository.alias().promote(2, by="tests", why="damaged")
    eventually(lambda: "version 2 refused" in server.log)

    def status():
        done = run("status", *server.where, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def in_the_metrics(found):  # which are updated once per tick
        return (
            found["totals"]["load_failures"]
            and found["versions"][0]["processes"]
            and found["requests"].get("OK", 0) >= 3
        )

    eventually(lambda: in_the_metrics(status()))
    found = status()
    assert found["requests"].get("OK", 0) >= 3
    assert set(found["latency"]) == {"p50", "p90", "p99"}
    assert found["totals"]["swaps"] == 1
    assert found["repository"].keys() == {"last_look_seconds", "damaged_entries", "hanging_reads"}
    assert found["repository"]["last_look_seconds"] >= 0
    assert found["totals"]["load_failures"] >= 1
    first, second = found["versions"]
    assert (first["version"], first["state"], first["processes"] > 0) == ("1", "READY", True)
    assert (second["version"], second["state"]) == ("2", "UNAVAILABLE")
    assert "sha256" in second["reason"]
    assert found["troubles"] == []


def test_status_once_prints_tables(server, connect, pixels, run):
    client = connect(server.where[1])
    eventually(lambda: client.health() == "SERVING")
    client.recognize(pixels)
    done = run("status", *server.where, "--once")
    assert done.returncode == 0
    for words in ("calls", "OK", "p99", "swaps 1", "repository last seen", "versions", "READY"):
        assert words in done.stdout


def test_status_names_what_it_cannot_reach_and_shows_the_rest(server, run):
    done = run("status", *server.where[:2], "--metrics", "127.0.0.1:1", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert "--metrics-port" in found["troubles"][0]
    assert found["troubles"][0] in done.stderr
    assert found["versions"]


@pytest.mark.parametrize("form", ["http://{}", "http://{}/metrics", ":{port}"])
def test_the_metrics_may_be_named_by_url_or_by_port_alone(server, run, form):
    place = server.where[3]
    done = run("status", *server.where[:2], "--metrics", form.format(place, port=place.rpartition(":")[2]), "--once")
    assert (done.returncode, "swaps" in done.stdout) == (0, True), done.stdout


def test_what_answers_at_the_wrong_port_is_told_from_the_metrics(server, run):
    address = server.where[1]
    done = run("status", "--address", address, "--metrics", address, "--once")
    assert (done.returncode, "no metrics at" in done.stdout.replace("\n", " ")) == (1, True)


def test_status_fails_if_neither_server_nor_metrics_answer(run):
    done = run("status", "--address", "127.0.0.1:1", "--metrics", "127.0.0.1:1", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert len(found["troubles"]) == 2
    assert found["versions"] == []


def test_rates_begin_again_after_a_restart_of_the_server():
    source = Source("http://127.0.0.1:1/metrics", lambda: [Version("1", "READY")], "nowhere")
    before = Status(at=0.0, address="nowhere", requests={"OK": 100})
    assert read(source, before).rates == {}, "the counters have decreased: the server was restarted"
