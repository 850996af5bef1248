"""The client: the pictures that it takes, and its errors."""

import os
import socket
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from core.errors import ConfigError, NoDigitError, PictureTooLargeError, PictureUnreadableError
from service.client import DeadlineError, Recognizer, UnreachableError
from service.wire import Reading
from tests.patience import eventually
from tests.service.harness import STROKE, drawing, encoded, running
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


@pytest.mark.parametrize(
    "same",
    [
        lambda pixels: pixels / 255,
        lambda pixels: (pixels / 255).astype(np.float32),
        lambda pixels: pixels.astype(np.int64),
        lambda pixels: pixels[np.newaxis],
        lambda pixels: pixels[..., np.newaxis],
        lambda pixels: 255 - pixels,
    ],
    ids=["0…1", "float32", "int64", "(1, 28, 28)", "(28, 28, 1)", "inverted"],
)
def test_an_array_of_28_by_28_gets_the_same_answer_however_it_is_written(client, same):
    assert client.recognize(same(STROKE)) == client.recognize(STROKE)


def test_an_array_of_another_size_is_a_picture_like_any_other(client, png):
    array = np.asarray(Image.open(BytesIO(png)))
    assert client.recognize(array) == client.recognize(array / 255) == client.recognize(png)


@pytest.mark.parametrize("blank", [np.zeros((28, 28), np.uint8), np.full((28, 28), 0.3), np.ones((60, 60), bool)])
def test_in_an_empty_array_nothing_is_drawn(client, blank):
    with pytest.raises(NoDigitError):
        client.recognize(blank)
    assert [type(outcome) for outcome in client.recognize_batch([blank, STROKE])] == [NoDigitError, Reading]
    assert [type(outcome) for outcome in client.recognize_stream([blank, STROKE])] == [NoDigitError, Reading]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(784, np.uint8), r"pass array.reshape\(28, 28\)"),
        (np.zeros((5, 28, 28), np.uint8), "one picture at a time"),
        (np.zeros((3, 50, 50), np.uint8), r"pass array.transpose\(1, 2, 0\)"),
        (np.full((28, 28), np.nan), "a value is NaN"),
        ((STROKE / 255 - 0.1307) / 0.3081, "undo the normalization"),
        (STROKE // 16, "levels range from 0 to 15 of 255"),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_the_next_step(client, array, words):
    with pytest.raises(PictureUnreadableError, match=words):
        client.recognize(array)


def test_the_orientation_of_an_opened_photo_is_kept(client, png):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo = BytesIO()
    Image.open(BytesIO(png)).transpose(Image.Transpose.ROTATE_90).save(photo, "JPEG", exif=exif)
    answer = client.recognize(photo.getvalue())
    opened = Image.open(photo)
    assert client.recognize(opened) == answer
    assert opened.load()
    assert client.recognize(opened) == answer


@pytest.mark.parametrize("kind", ["directory", "pipe", "device"])
def test_what_is_no_regular_file_is_an_os_error(client, tmp_path, kind):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=f"it is a {kind}, expected a regular file"):
        client.recognize({"directory": tmp_path, "pipe": tmp_path / "pipe", "device": "/dev/zero"}[kind])


def test_a_file_that_no_server_accepts_is_refused_unread(client, tmp_path):
    (tmp_path / "huge.png").touch()
    os.truncate(tmp_path / "huge.png", 6_000_000_000)
    with pytest.raises(PictureTooLargeError, match="6,000,000,000 bytes"):
        client.recognize(tmp_path / "huge.png")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", r"is a data: URL; .*base64.b64decode"),
        ("iVBORw0KGgo" + "A" * 9000, r"is base64 text; .*base64.b64decode"),
        ("https://example.org/seven.png", "is a web address; fetch the picture"),
    ],
)
def test_a_picture_as_text_in_place_of_a_path_is_refused_with_the_next_step(client, text, words):
    with pytest.raises(PictureUnreadableError, match=words):
        client.recognize(text)


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
