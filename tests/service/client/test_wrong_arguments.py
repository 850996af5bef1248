"""Whatever is passed to a client, what goes wrong is an error of Numeral's own, and nothing is sent."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import ConfigError, NumeralError, PictureError
from service.client import ArgumentError, AsyncRecognizer, Recognizer
from tests.service.client.test_client_calls import with_asyncio, with_threads
from tests.service.harness import STROKE

NOWHERE = "127.0.0.1:1"


class Broken:
    """Fails in every way in which a picture can be looked at."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("on another device")


class BrokenFile:
    def read(self, size: int = -1) -> bytes:
        raise RuntimeError("not connected")


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"abc")
    file.close()
    return file


def closed_image() -> Image.Image:
    image = Image.new("L", (9, 9))
    image.close()
    return image


NO_PICTURES: dict[str, Any] = {
    "None": None,
    "a number": 7,
    "a list": [[0, 1], [1, 0]],
    "a class": object,
    "no path": "",
    "a path of nothing": "nowhere.png",
    "a folder": Path("/"),
    "a path with a null": "a\0b",
    "a path of a surrogate": "\ud800",
    "a text file": io.StringIO("text"),
    "a closed file": closed_file(),
    "a file that fails": BrokenFile(),
    "an object that fails": Broken(),
    "0 × 0": Image.new("L", (0, 0)),
    "a closed image": closed_image(),
    "an empty array": np.zeros((0, 28)),
    "NaN": np.full((28, 28), np.nan),
    "infinity": np.full((50, 50), np.inf),
    "text in an array": np.full((28, 28), "a"),
    "objects in an array": np.full((28, 28), None),
    "dates in an array": np.zeros((50, 50), "datetime64[s]"),
    "a number as an array": np.float64(7),
}

NO_TIMEOUTS = {
    "0": 0,
    "negative": -1,
    "NaN": math.nan,
    "infinite": math.inf,
    "text": "3",
    "too long": 1e300,
    "True": True,
}
NO_VERSIONS = {
    "None": None,
    "0": 0,
    "a float": 4.5,
    "bytes": b"4",
    "True": True,
    "a surrogate": "\ud800",
    "huge": 10**99,
}
NO_DIGITS = {"None": None, "10": 10, "-1": -1, "a float": 3.0, "text": "3", "True": True, "huge": 10**99}

ONE_PICTURE = ("recognize", "recognize_many", "explain", "look_inside", "send_feedback")
SEVERAL = ("recognize_batch", "recognize_stream")
VERSIONED = ("recognize", "recognize_batch", "recognize_stream", "recognize_many", "explain", "look_inside")


def arguments(method: str, picture: Any = STROKE) -> tuple[Any, ...]:
    """The arguments of a call about one picture."""
    if method in ("model", "card", "health"):
        return ()
    return ([picture] if method in SEVERAL else picture, *((3,) if method == "send_feedback" else ()))


@pytest.fixture(params=[with_threads, with_asyncio])
def ask(request: pytest.FixtureRequest):
    """Call a method of a client whose server does not exist, once with each of the two clients."""
    return lambda method, *positional, **options: request.param(NOWHERE, method, *positional, **options)


@pytest.mark.parametrize("picture", NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_an_error_about_the_argument_or_the_picture(ask, picture):
    for method in ONE_PICTURE:
        with pytest.raises((ArgumentError, PictureError)) as caught:
            ask(method, *arguments(method, picture))
        assert 0 < len(str(caught.value)) < 400


def test_a_batch_of_nothing_readable_is_answered_without_a_server(ask):
    outcomes = ask("recognize_batch", NO_PICTURES.values())
    assert [isinstance(outcome, NumeralError) for outcome in outcomes] == [True] * len(NO_PICTURES)


@pytest.mark.parametrize(
    "pictures",
    [None, 7, "one.png", b"one", io.BytesIO(b"one"), STROKE, Path("/")],
    ids=lambda pictures: type(pictures).__name__,
)
def test_what_is_no_iterable_of_pictures_is_an_argument_error(ask, pictures):
    for method in SEVERAL:
        with pytest.raises(ArgumentError, match="expected an iterable of pictures"):
            ask(method, pictures)


@pytest.mark.parametrize("timeout", NO_TIMEOUTS.values(), ids=NO_TIMEOUTS)
def test_an_impossible_timeout_is_an_argument_error(ask, timeout):
    for method in (*ONE_PICTURE, *SEVERAL, "model", "health"):
        with pytest.raises(ArgumentError, match="timeout is"):
            ask(method, *arguments(method), timeout=timeout)


@pytest.mark.parametrize("version", NO_VERSIONS.values(), ids=NO_VERSIONS)
def test_an_impossible_version_is_an_argument_error(ask, version):
    for method in VERSIONED:
        with pytest.raises(ArgumentError, match="the version is"):
            ask(method, *arguments(method), model_version=version)
    for method in ("model", "card"):
        with pytest.raises(ArgumentError, match="the version is"):
            ask(method, version)


@pytest.mark.parametrize("method", ["recognize", "recognize_stream"])
def test_the_image_is_wanted_or_not(ask, method):
    with pytest.raises(ArgumentError, match="want_pixels is 'yes', expected True or False"):
        ask(method, *arguments(method), want_pixels="yes")


@pytest.mark.parametrize("digit", NO_DIGITS.values(), ids=NO_DIGITS)
def test_what_is_no_digit_is_an_argument_error(ask, digit):
    with pytest.raises(ArgumentError, match="expected 0 to 9"):
        ask("send_feedback", STROKE, digit)
    if digit is not None:
        with pytest.raises(ArgumentError, match="expected 0 to 9"):
            ask("explain", STROKE, digit=digit)


def test_feedback_is_about_a_reading_or_nothing(ask):
    with pytest.raises(ArgumentError, match="expected the Reading"):
        ask("send_feedback", STROKE, 3, about="the last one")


@pytest.mark.parametrize("client", [Recognizer, AsyncRecognizer])
@pytest.mark.parametrize(
    "options",
    [
        *({"timeout": value} for value in (*NO_TIMEOUTS.values(), None)),
        *({"tls": value} for value in (None, 7, "", "nowhere.pem", __file__, "-----BEGIN CERTIFICATE-----")),
        *({"tls": True, "certificate": value} for value in ("one", 7, ("one",), (1, 2), ("nowhere", "nowhere"))),
        *({"tls": True, "server_name": value} for value in (7, b"x")),
        *({"token": value} for value in (7, b"x", "")),
        *({"canary_key": value} for value in (7, b"x", "")),
    ],
    ids=str,
)
def test_an_impossible_option_of_a_client_is_a_config_error(client, options):
    with pytest.raises(ConfigError):
        client(NOWHERE, **options)


def test_a_wrong_argument_is_caught_as_the_errors_of_python_too(ask):
    for kind in (ValueError, TypeError):
        with pytest.raises(kind):
            ask("recognize", None)
    with pytest.raises(FileNotFoundError):
        ask("recognize", "nowhere.png")
