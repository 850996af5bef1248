"""The client: the pictures that it takes, and its errors."""

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import ConfigError, NoDigitError, PictureUnreadableError
from service.client import DeadlineError, Recognizer, UnreachableError
from tests.service.harness import drawing, encoded, eventually, running
from tests.service.tiny_model import publish


@pytest.fixture
def client(repository, folder, serve, connect):
    publish(repository, seed=1)
    return connect(serve(folder).address)


def test_a_canary_answers_all_calls_with_the_same_key_or_none(repository, folder, serve, pixels):
    publish(repository, seed=1)
    repository.promote(publish(repository, seed=2, promote=False), by="tests", why="to be tried", alias="challenger")
    server = serve(folder, canary="challenger:50%")
    answered = set()
    for key in map(str, range(12)):
        with Recognizer(server.address, canary_key=f"user {key}") as client:
            versions = {client.recognize(pixels).model_version for _ in range(4)}
            versions |= {reading.model_version for reading in client.recognize_stream([pixels] * 4)}
            versions |= {reading.model_version for reading in client.recognize_batch([pixels] * 4)}
        assert len(versions) == 1
        answered |= versions
    assert answered == {"1", "2"}
    with Recognizer(server.address) as client:  # without a key, calls take turns
        assert {client.recognize(pixels).model_version for _ in range(8)} == {"1", "2"}


@pytest.mark.parametrize("key", ["", "user\n7", "Jörg"])
def test_a_canary_key_that_metadata_cannot_hold_is_refused(key):
    with pytest.raises(ConfigError, match=r"canary_key = .* expected ASCII text"):
        Recognizer("localhost:1", canary_key=key)


def test_a_path_its_bytes_and_its_pillow_image_get_the_same_answer(client, png, tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(png)
    answer = client.recognize(png)
    assert client.recognize(file) == client.recognize(str(file)) == answer
    assert client.recognize(Image.open(file)) == answer
    assert client.recognize(bytearray(png)) == answer


def test_a_pillow_image_that_png_cannot_hold_is_converted_and_sent(client, png, tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(png)
    assert client.recognize(Image.open(file).convert("CMYK")).model_version == "1"


def test_an_array_need_not_be_contiguous(client, pixels):
    wide = np.zeros((28, 56), np.uint8)
    wide[:, ::2] = pixels
    assert client.recognize(wide[:, ::2]) == client.recognize(pixels)


@pytest.mark.parametrize("array", [np.zeros((28, 28)), np.zeros((1, 28, 28), np.uint8), np.zeros(784, np.uint8)])
def test_an_array_of_another_shape_or_dtype_is_refused(client, array):
    with pytest.raises(PictureUnreadableError, match=r"expected \(28, 28\) uint8"):
        client.recognize(array)


def test_an_object_that_is_no_picture_is_a_type_error(client):
    with pytest.raises(TypeError, match="found int"):
        client.recognize(7)


def test_an_error_about_the_picture_has_the_same_class_as_at_the_server(client):
    with pytest.raises(NoDigitError):
        client.recognize(encoded(Image.new("L", (60, 60), 255)))


def test_a_missing_file_is_an_os_error(client):
    with pytest.raises(FileNotFoundError):
        client.recognize(Path("nowhere.png"))


def test_an_http_proxy_in_the_environment_is_not_used(client, monkeypatch, connect):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert connect(client.address).health() == "SERVING"


def test_health_tells_whether_a_version_is_loaded(folder, repository, serve, connect):
    client = connect(serve(folder).address)
    assert client.health() == "NOT_SERVING"
    publish(repository, seed=1)
    eventually(lambda: client.health() == "SERVING")


def test_an_unreachable_address_is_named_with_the_command_that_starts_a_server():
    address = f"127.0.0.1:{free_port()}"
    with Recognizer(address) as client, pytest.raises(UnreachableError) as caught:
        client.recognize(drawing())
    port = address.partition(":")[2]
    assert f"no server answers at {address}" in str(caught.value)
    assert f"python -m service serve --port {port}" in str(caught.value)


def test_a_call_to_a_server_that_never_answers_ends_at_its_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        client = Recognizer(address, timeout=30, wait_for_ready=True)
        with client, pytest.raises(DeadlineError, match="within 0.3 seconds"):
            client.recognize(drawing(), timeout=0.3)


def test_a_client_that_waits_for_ready_is_answered_by_a_server_started_later(repository, folder, pixels):
    publish(repository, seed=1)
    port = free_port()
    answers = []
    with Recognizer(f"127.0.0.1:{port}", timeout=30, wait_for_ready=True) as client:
        caller = threading.Thread(target=lambda: answers.append(client.recognize(pixels)))
        caller.start()
        with running(folder, port=port):
            caller.join(120)
    assert answers[0].model_version == "1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]
