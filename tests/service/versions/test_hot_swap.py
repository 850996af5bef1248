"""What callers see while versions change under them."""

import logging
import shutil
import threading
from itertools import combinations

import numpy as np

from core.artifact.repository import Repository
from service.client import UnreachableError
from tests.patience import eventually
from tests.service.harness import expected
from tests.service.tiny_model import damage, publish, weights_file

ROUNDING = 1e-6
"""Concurrent calls are computed as one batch, which adds up the same numbers in another order."""


def test_calls_during_swaps_never_fail_and_each_answer_is_of_the_version_it_names(
    repository, folder, serve, connect, pixels
):
    publish(repository, seed=1)
    client = connect(serve(folder).address)
    stop = threading.Event()
    failures: list[Exception] = []
    readings: list[list] = [[] for _ in range(4)]

    def call(into: list) -> None:
        while not stop.is_set():
            try:
                into.append(client.recognize(pixels))
            except Exception as error:  # noqa: BLE001 — any error is a failed call
                failures.append(error)

    callers = [threading.Thread(target=call, args=(into,)) for into in readings]
    for caller in callers:
        caller.start()
    try:
        for version in range(2, 8):
            assert publish(repository, seed=version) == version
            eventually(lambda wanted=str(version): all(r and r[-1].model_version == wanted for r in readings))
    finally:
        stop.set()
        for caller in callers:
            caller.join()

    assert not failures
    known = {
        str(v): (expected(repository, v, pixels), repository.manifest(v).files["weights.safetensors"].sha256)
        for v in range(1, 8)
    }
    apart = min(np.abs(np.subtract(a, b)).max() for (a, _), (b, _) in combinations(known.values(), 2))
    assert apart > 100 * ROUNDING
    for reading in [reading for into in readings for reading in into]:
        probabilities, weights_sha256 = known[reading.model_version]
        assert reading.weights_sha256 == weights_sha256
        assert np.abs(np.subtract(reading.probabilities, probabilities)).max() < ROUNDING
    for into in readings:
        versions = [int(reading.model_version) for reading in into]
        assert versions == sorted(versions), "a caller was answered by an older version after a newer one"


def test_a_damaged_promotion_is_refused_and_a_sound_one_after_it_is_served(
    repository, folder, serve, connect, pixels, caplog
):
    caplog.set_level(logging.INFO)
    publish(repository, seed=1)
    client = connect(serve(folder).address)
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    repository.alias().promote(2, by="tests", why="damaged by one bit")
    eventually(lambda: "version 2 refused: mnist/2/weights.safetensors" in caplog.text)
    assert client.recognize(pixels).probabilities == expected(repository, 1, pixels)
    publish(repository, seed=3)
    eventually(lambda: client.recognize(pixels).model_version == "3")
    assert caplog.text.count("version 2 refused") == 1


def test_a_server_that_starts_on_a_damaged_champion_serves_the_one_before(
    repository, folder, serve, connect, pixels, caplog
):
    publish(repository, seed=1)
    publish(repository, seed=2)
    damage(weights_file(folder, 2))
    reading = connect(serve(folder).address).recognize(pixels)
    assert reading.model_version == "1"
    assert "version 2 refused" in caplog.text


def test_a_server_that_starts_before_its_repository_serves_once_it_is_there(repository, folder, serve, connect, pixels):
    client = connect(serve(folder).address)
    publish(repository, seed=1)
    eventually(lambda: answers(client, pixels))
    assert client.recognize(pixels).model_version == "1"


def test_a_server_whose_repository_vanishes_goes_on_and_follows_it_when_it_is_back(
    repository, folder, serve, connect, pixels, caplog
):
    publish(repository, seed=1)
    client = connect(serve(folder).address)
    shutil.rmtree(folder)
    eventually(lambda: "version 1 goes on serving" in caplog.text)
    assert client.recognize(pixels).model_version == "1"
    repository = Repository(str(folder), writable=True)  # a writer does not make a folder again that it has seen
    publish(repository, seed=2)
    publish(repository, seed=3)
    eventually(lambda: client.recognize(pixels).model_version == "2")


def answers(client, pixels) -> bool:
    try:
        return bool(client.recognize(pixels))
    except UnreachableError:
        return False
