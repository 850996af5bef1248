"""All the digits in one picture: over gRPC, with both clients, and by `predict --many`."""

import asyncio
import json
import threading
from io import BytesIO
from itertools import pairwise

import grpc
import pytest
from PIL import Image, ImageDraw

from core.artifact.repository import Repository
from core.errors import NoDigitError, PictureUnreadableError
from core.imaging import PictureLimits
from protos.numeral.v1.recognizer_pb2 import RecognizeManyRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import AsyncRecognizer, Box
from service.observer import Observer
from service.recognition import recognize
from service.recognition.workers import Workers
from service.server.assembly import MOST_DECODERS
from service.versions.store import Store
from service.versions.watcher import Watcher
from tests.service.harness import encoded
from tests.service.written import CROSS, DIGIT, DIGIT_PIXELS, publish_refusing

BLANK = encoded(Image.new("L", (60, 60), 255))


class Told(Observer):
    def __init__(self) -> None:
        self.failures: list[tuple[str, int]] = []

    def failed(self, loaded, images: int) -> None:
        self.failures.append((loaded.version, images))


@pytest.fixture
def address(repository, folder, serve) -> str:
    publish_refusing(repository)
    return serve(folder).address


def ask_aio(address: str, picture: bytes):
    async def call():
        async with AsyncRecognizer(address) as client:
            return await client.recognize_many(picture)

    return asyncio.run(call())


def test_both_clients_find_the_same_digits_each_with_its_place_and_its_answer(address, connect):
    found = connect(address).recognize_many(DIGIT)
    assert found == ask_aio(address, DIGIT)
    [one] = found
    left, top, right, bottom = one.box
    assert 0 <= left < right <= 60
    assert 0 <= top < bottom <= 60
    assert one.reading.rejected == ""
    assert one.reading.model_version == "1"
    assert len(one.reading.reply_id) == 32
    [other] = connect(address).recognize_many(CROSS)
    assert other.reading.rejected.startswith("not a digit")


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_boxes_are_in_pixels_of_the_upright_picture_as_it_was_sent(address, kind):
    image = Image.new("L", (2400, 1800), 255)  # larger than what is kept after decoding
    ImageDraw.Draw(image).line([(500, 900), (1900, 900)], fill=0, width=100)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    image.save(buffer := BytesIO(), kind, exif=exif)
    with grpc.insecure_channel(address) as channel:
        response = RecognizerStub(channel).RecognizeMany(RecognizeManyRequest(encoded=buffer.getvalue()), timeout=60)
    assert (response.width, response.height) == (1800, 2400)
    [found] = response.digits
    box = Box(found.box.left, found.box.top, found.box.right, found.box.bottom)
    assert box.left <= 860
    assert box.top <= 510
    assert 940 <= box.right <= 1800
    assert 1890 <= box.bottom <= 2400


def test_pixels_are_a_picture_as_well(address):
    with grpc.insecure_channel(address) as channel:
        response = RecognizerStub(channel).RecognizeMany(
            RecognizeManyRequest(pixels=DIGIT_PIXELS.tobytes()), timeout=60
        )
    assert (response.width, response.height) == (28, 28)
    assert len(response.digits) == 1


@pytest.mark.parametrize(("picture", "kind"), [(BLANK, NoDigitError), (b"hello", PictureUnreadableError)])
def test_a_picture_that_cannot_be_read_is_an_error_with_the_reason(address, connect, picture, kind):
    with pytest.raises(kind):
        connect(address).recognize_many(picture)


def test_a_call_whose_deadline_has_passed_is_not_begun(address, monkeypatch):
    begun, free = [], threading.Event()
    truly = recognize.many_in

    def stuck(*arguments):
        begun.append(arguments)
        assert free.wait(60)
        return truly(*arguments)

    monkeypatch.setattr(recognize, "many_in", stuck)
    request = RecognizeManyRequest(encoded=DIGIT)
    with grpc.insecure_channel(address) as channel:
        calls = [RecognizerStub(channel).RecognizeMany.future(request, timeout=0.5) for _ in range(20)]
        codes = {call.code() for call in calls}
        free.set()
        assert RecognizerStub(channel).RecognizeMany(request, timeout=60).digits
    assert grpc.StatusCode.DEADLINE_EXCEEDED in codes
    assert codes <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}, "refused at once"
    assert len(begun) <= MOST_DECODERS + 1, "one for each thread, and the last one"


def test_an_unforeseen_failure_is_counted_against_the_version(repository, folder, monkeypatch):
    publish_refusing(repository)
    store = Store(str(folder))
    Watcher(Repository(str(folder)), store).look()
    told = Told()
    recognition = recognize.Recognition(store, PictureLimits(), Workers(1), told)
    monkeypatch.setattr(recognize, "many_in", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(recognition.many(DIGIT))
    assert told.failures == [("1", 1)]


# predict


def test_predict_gives_a_picture_that_is_no_digit_no_digit_and_keeps_its_probabilities(
    repository, folder, run, start, tmp_path
):
    publish_refusing(repository)
    files = {name: tmp_path / f"{name}.png" for name in ("digit", "cross")}
    for (_, file), picture in zip(files.items(), (DIGIT, CROSS), strict=True):
        file.write_bytes(picture)
    here = run("predict", *files.values(), "--json", "--repository", folder)
    digit, cross = json.loads(here.stdout)
    assert digit["rejected"] is None
    assert digit["digit"] in range(10)
    assert digit["digitness"] > 0.9
    assert cross["digit"] is cross["confidence"] is None
    assert cross["rejected"].startswith("not a digit")
    assert len(cross["probabilities"]) == 10
    assert cross["digitness"] < 0.1
    assert here.returncode == 0
    address = start("serve", "--repository", folder, "--port", 0).listening()
    assert json.loads(run("predict", *files.values(), "--json", "--address", address).stdout) == [digit, cross]
    words = run("predict", files["cross"], "--repository", folder).stdout.splitlines()
    assert words[0].startswith(f"{files['cross']}: no digit read: not a digit: ")
    assert len(words) == 11, "the bar of each digit is shown all the same"


def test_predict_many_says_which_digits_are_where(repository, folder, run, start, tmp_path):
    publish_refusing(repository)
    files = [tmp_path / f"{name}.png" for name in ("digit", "cross", "blank", "words", "nowhere")]
    for file, picture in zip(files, (DIGIT, CROSS, BLANK, b"no picture"), strict=False):
        file.write_bytes(picture)
    here = run("predict", "--many", *files, "--json", "--repository", folder)
    rows = json.loads(here.stdout)
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert all(set(row) == {"file", "digits", "rejected", "model_version"} for row in rows)
    assert [len(row["digits"]) for row in rows] == [1, 1, 0, 0, 0]
    assert [row["rejected"] is None for row in rows] == [True, False, False, False, False]
    [one] = rows[0]["digits"]
    assert set(one) == {"digit", "confidence", "probabilities", "digitness", "rejected", "box"}
    assert all(low < high for low, high in pairwise((one["box"][0], one["box"][2])))
    [other] = rows[1]["digits"]
    assert other["digit"] is None
    assert other["rejected"].startswith("not a digit")
    assert here.returncode == 1, "one of the files is not there"
    address = start("serve", "--repository", folder, "--port", 0).listening()
    there = run("predict", "--many", *files, "--json", "--address", address)
    assert (json.loads(there.stdout), there.returncode) == (rows, 1)
    words = run("predict", "--many", files[0], "--repository", folder).stdout.splitlines()
    assert words[0] == f"{files[0]}: {one['digit']} (1 found, version 1)"
    assert words[1].startswith(f"  x {one['box'][0]} to {one['box'][2]}, y ")
