"""All calls of both clients: their results and their errors."""

import asyncio
import inspect
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import NoDigitError, PictureUnreadableError
from core.feedback import FeedbackFolder
from core.imaging import digit_from_bytes
from core.inference.predict import load
from service.client import (
    ArgumentError,
    AsyncRecognizer,
    MissingFileError,
    NotFoundError,
    OverloadedError,
    Reading,
    Recognizer,
    RequestError,
    ServiceError,
    UnreachableError,
)
from tests.floats import assert_close
from tests.service.harness import assert_same_answer, encoded, expected
from tests.service.tiny_model import publish

BLANK = encoded(Image.new("L", (60, 60), 255))
CARD = "# A card — with a dash\n"

Ask = Callable[..., Any]


def with_threads(address: str, method: str, *arguments: Any, **options: Any) -> Any:
    with Recognizer(address) as client:
        found = getattr(client, method)(*arguments, **options)
        return list(found) if inspect.isgenerator(found) else found


def with_asyncio(address: str, method: str, *arguments: Any, **options: Any) -> Any:
    async def call() -> Any:
        async with AsyncRecognizer(address) as client:
            found = getattr(client, method)(*arguments, **options)
            return [item async for item in found] if inspect.isasyncgen(found) else await found

    return asyncio.run(call())


@pytest.fixture(params=[with_threads, with_asyncio])
def ask(request: pytest.FixtureRequest, repository, folder, serve, tmp_path) -> Ask:
    """Call a method of the client, once with each of the two clients."""
    publish(repository, seed=1, documents={"card.md": CARD.encode()})
    address = serve(folder, feedback=str(tmp_path / "feedback"), feedback_per_second=0.1).address
    return lambda method, *arguments, **options: request.param(address, method, *arguments, **options)


def test_both_clients_have_the_same_calls_with_the_same_arguments():
    def calls(kind: type) -> dict[str, list[str]]:
        methods = inspect.getmembers(kind, lambda value: inspect.isfunction(value))
        return {
            name.replace("__a", "__"): list(inspect.signature(method).parameters)
            for name, method in methods
            if not name.startswith("_") or name in ("__init__", "__enter__", "__aenter__")
        }

    assert calls(Recognizer) == calls(AsyncRecognizer)


def test_a_picture_in_every_form_gets_the_same_answer(ask, png, tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(png)
    answer = ask("recognize", png)
    assert answer.digit in range(10)
    assert len(answer.reply_id) == 32
    for picture in (file, str(file), Image.open(file), memoryview(png), digit_from_bytes(png)):
        assert ask("recognize", picture) == answer


def test_a_batch_and_a_stream_give_each_picture_its_answer_or_its_error(ask, repository, png, pixels):
    pictures = [pixels, BLANK, png, b"no picture"]
    for method in ("recognize_batch", "recognize_stream"):
        one, blank, two, nothing = ask(method, pictures)
        for reading, image in ((one, pixels), (two, digit_from_bytes(png))):
            assert_same_answer(reading.probabilities, expected(repository, 1, image))
        assert type(blank) is NoDigitError
        assert type(nothing) is PictureUnreadableError


def test_a_batch_of_nothing_is_a_request_error(ask):
    with pytest.raises(RequestError, match="expected 1 to 1,024"):
        ask("recognize_batch", [])


def test_an_error_of_the_iterable_comes_after_the_answers_before_it(ask, pixels):
    seen = []

    def pictures():
        yield pixels
        yield pixels
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        seen.append(ask("recognize_stream", pictures()))


def test_a_picture_that_the_client_cannot_read_is_an_error_in_its_place(ask, pixels):
    pictures = ["nowhere.png", pixels, None, Image.new("L", (0, 0)), pixels, np.full((28, 28), np.nan)]
    kinds = [MissingFileError, Reading, ArgumentError, PictureUnreadableError, Reading, PictureUnreadableError]
    for method in ("recognize_batch", "recognize_stream"):
        assert [type(outcome) for outcome in ask(method, pictures)] == kinds


def test_in_a_stream_the_error_of_a_picture_comes_before_the_next_picture_is_sent(
    repository, folder, serve, connect, pixels
):
    publish(repository, seed=1)
    told = threading.Semaphore(0)

    def pictures():
        for picture in ("nowhere.png", pixels, None):
            yield picture
            assert told.acquire(timeout=60)

    seen = []
    for outcome in connect(serve(folder).address).recognize_stream(pictures()):
        seen.append(type(outcome))
        told.release()
    assert seen == [MissingFileError, Reading, ArgumentError]


def test_leaving_the_loop_over_a_stream_ends_the_call(repository, folder, serve, connect, pixels):
    publish(repository, seed=1)
    client = connect(serve(folder).address)
    readings = list(itertools.islice(client.recognize_stream(itertools.repeat(pixels)), 300))
    assert len(readings) == 300
    assert client.recognize(pixels).digit == readings[-1].digit

    async def some() -> int:
        async with AsyncRecognizer(client.address) as other:
            count = 0
            async for reading in other.recognize_stream(itertools.repeat(pixels)):
                assert reading.digit == readings[0].digit
                count += 1
                if count == 300:
                    break
            return count + len(await other.recognize_batch([pixels]))

    assert asyncio.run(some()) == 301


def test_an_asynchronous_iterable_is_streamed_too(repository, folder, serve, connect, pixels):
    publish(repository, seed=1)
    address = serve(folder).address

    async def pictures():
        for _ in range(3):
            await asyncio.sleep(0)
            yield pixels

    async def stream() -> list[Any]:
        async with AsyncRecognizer(address) as client:
            return [reading async for reading in client.recognize_stream(pictures())]

    assert len(asyncio.run(stream())) == 3


def test_every_call_takes_the_version_that_is_to_answer(ask, pixels):
    for method, argument in (
        ("recognize", pixels),
        ("recognize_batch", [pixels]),
        ("explain", pixels),
        ("look_inside", pixels),
    ):
        with pytest.raises(NotFoundError, match="77"):
            ask(method, argument, model_version="77")
        ask(method, argument, model_version="champion")
    assert isinstance(ask("recognize_stream", [pixels], model_version="77")[0], NotFoundError)
    assert ask("model", "1") == ask("model")
    assert ask("card", "1") == ask("card", 1) == ask("card", "champion") == ask("card")
    for method in ("model", "card"):
        with pytest.raises(NotFoundError):
            ask(method, "77")


def test_an_explanation_comes_as_arrays(ask, png):
    found = ask("explain", png, digit=3)
    assert found.digit == 3
    assert (found.saliency.shape, found.saliency.dtype) == ((28, 28), np.float32)
    assert found.saliency.any()
    np.testing.assert_array_equal(found.image, digit_from_bytes(png))
    assert found.reading == ask("recognize", png)
    with pytest.raises(RequestError, match="expected 0 to 9"):
        ask("explain", png, digit=10)


def test_the_image_comes_with_an_answer_only_if_it_is_asked_for(ask, png):
    image = digit_from_bytes(png)
    assert ask("recognize", png).image is None
    [streamed] = ask("recognize_stream", [png], want_pixels=True)
    for reading in (ask("recognize", png, want_pixels=True), streamed):
        np.testing.assert_array_equal(reading.image, image, strict=True)
        assert reading == ask("recognize", png), "it is left out of comparisons"


def test_a_look_inside_comes_as_arrays(ask, repository, png):
    found = ask("look_inside", png)
    image = digit_from_bytes(png)
    np.testing.assert_array_equal(found.image, image, strict=True)
    predictor, manifest = load(repository, 1)
    inside = predictor.inside(image, manifest.architecture.layers)
    assert [(s.name, s.kind, s.settings, s.shape, s.parameters) for s in found.stages] == [
        ("0.dense", "dense", {"units": "16"}, (16,), 784 * 16 + 16),
        ("1.relu", "relu", {}, (16,), 0),
        ("2.dense", "dense", {"units": "10"}, (10,), 16 * 10 + 10),
    ]
    for stage, right in zip(found.stages, inside.stages, strict=True):
        assert (stage.values.shape, stage.values.dtype) == (right.output.shape, np.float32)
        step = np.ptp(right.output) / 255
        assert_close(stage.values, right.output, abs=0.501 * step, why="rounded to one of 255 steps")
    assert found.reading.model_version == "1"
    assert_same_answer(found.reading.probabilities, expected(repository, 1, image))


def test_a_card_is_the_text_that_was_published(ask):
    assert ask("card") == CARD


def test_a_model_is_what_was_published(ask, repository):
    found, manifest = ask("model"), repository.manifest(1)
    assert (found.name, found.version, found.aliases, found.recipe) == ("mnist", "1", ("champion",), "tiny")
    assert (found.test_images, found.test_accuracy, found.test_interval) == (1, 0.5, (0.0, 1.0))
    assert found.input_shape == (784,)
    assert found.parameters == manifest.architecture.parameter_count
    assert abs((found.created - manifest.created).total_seconds()) < 1e-3


def test_feedback_is_stored_once_and_refused_beyond_the_rate(ask, png, pixels, tmp_path):
    answer = ask("recognize", png)
    assert isinstance(answer, Reading)
    assert ask("send_feedback", png, 1, about=answer) is True  # this takes the only token of the bucket
    [item] = FeedbackFolder(tmp_path / "feedback").sound()
    assert (item.digit, item.original, item.reply_id) == (1, png, answer.reply_id)
    assert item.pixels == digit_from_bytes(png).tobytes()
    with pytest.raises(OverloadedError, match="too much feedback at once; try again in"):
        ask("send_feedback", pixels, 1, timeout=30)


def test_health_is_returned(ask):
    assert ask("health") == "SERVING"


@pytest.mark.parametrize("ask_at", [with_threads, with_asyncio])
def test_every_call_fails_as_unreachable_if_no_server_listens(ask_at, pixels):
    for method, arguments in (
        ("recognize", (pixels,)),
        ("recognize_stream", ([pixels],)),
        ("look_inside", (pixels,)),
        ("model", ()),
        ("card", ()),
        ("send_feedback", (pixels, 3)),
        ("health", ()),
    ):
        with pytest.raises(UnreachableError, match="no server answers at 127.0.0.1:1 "):
            ask_at("127.0.0.1:1", method, *arguments)


def test_a_service_that_collects_no_feedback_refuses_it(repository, folder, serve, connect, pixels):
    publish(repository, seed=1)
    with pytest.raises(ServiceError, match="UNIMPLEMENTED: this service collects no feedback"):
        connect(serve(folder).address).send_feedback(pixels, 3)
