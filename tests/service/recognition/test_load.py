"""The service under load: too many calls, too many pixels, too long a wait."""

import asyncio
import threading
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

from core.errors import PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging import PictureLimits
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.call import expires
from service.client import Recognizer
from service.errors import ExpiredError
from service.observer import Observer
from service.recognition.recognize import Recognition
from service.recognition.workers import Workers
from service.versions.store import Store
from service.versions.watcher import Watcher
from tests.patience import eventually
from tests.service.harness import STROKE, drawing
from tests.service.tiny_model import publish

SLOW = drawing(6000)
"""36 megapixels: decoding it takes a good part of a second."""


def picture(mode: str, side: int, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    Image.new(mode, (side, side)).save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_full_queue_refuses_at_once_and_tells_when_to_try_again(repository, folder, serve):
    publish(repository, seed=1)
    address = serve(folder, max_waiting=1).address
    with grpc.insecure_channel(address) as channel:
        recognize = RecognizerStub(channel).Recognize
        calls = [recognize.future(RecognizeRequest(encoded=SLOW), timeout=120) for _ in range(4)]
        eventually(lambda: any(call.done() for call in calls))
        refusal = next(call for call in calls if call.done())
        assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, "a refused call does not wait for the others"
        assert grpc.StatusCode.OK in {call.code() for call in calls}, "the first call is answered"
        recognize(RecognizeRequest(pixels=STROKE.tobytes()), timeout=60)  # as soon as there is room again
    assert "1 pictures are waiting already" in refusal.details()
    trailers = dict(refusal.trailing_metadata())
    assert trailers["numeral-error"] == "OverloadedError"
    assert int(trailers["retry-after-ms"]) > 0
    assert trailers["grpc-retry-pushback-ms"] == trailers["retry-after-ms"]


class Dropped(Observer):
    """Records what was not computed."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, int]] = []

    def dropped(self, reason: str, pictures: int) -> None:
        self.counted.append((reason, pictures))


def recognition(repository, observer: Observer) -> Recognition:
    publish(repository, seed=1)
    store = Store(repository.url)
    Watcher(repository, store).look()
    return Recognition(store, PictureLimits(), Workers(2), observer)


def test_pictures_whose_deadline_has_passed_are_not_decoded(repository):
    async def scene(observer):
        expires.set(0.0)
        with pytest.raises(ExpiredError):
            await recognition(repository, observer).encoded([b"not even a picture"] * 3)

    asyncio.run(scene(observer := Dropped()))
    assert observer.counted == [("expired", 3)]


def test_pictures_of_a_call_that_is_cancelled_are_dropped(repository):
    async def scene(observer):
        call = asyncio.create_task(recognition(repository, observer).encoded([SLOW] * 3))
        await asyncio.sleep(0)  # it has handed its pictures to the threads that decode
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(scene(observer := Dropped()))
    assert observer.counted == [("cancelled", 3)]


def test_a_deadline_that_cannot_be_kept_ends_the_call_before_or_when_it_passes(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        recognize = RecognizerStub(channel).Recognize
        request = RecognizeRequest(encoded=SLOW)
        calls = [recognize.future(request, timeout=0.3) for _ in range(60)]  # the work of many times 0.3 seconds
        codes = {call.code() for call in calls}
        # Which calls are answered in time depends on the machine; never all of them.
        late = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert codes & late
        assert codes <= {grpc.StatusCode.OK, *late}
        recognize(RecognizeRequest(pixels=STROKE.tobytes()), timeout=60)  # they do not delay it


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (picture("L", 10_000), PictureTooLargeError, "100,000,000 pixels, at most 50,000,000"),
        (picture("RGB", 300)[:200], PictureUnreadableError, "damaged picture"),
        (picture("RGB", 300, "JPEG")[:300], PictureUnreadableError, "damaged picture"),
        (b"GIF89a", PictureUnreadableError, "begin like a GIF"),
    ],
    ids=["100 megapixels", "half a PNG", "half a JPEG", "six bytes of a GIF"],
)
def test_a_picture_that_cannot_be_read_is_refused_with_the_reason(
    data, error, sentence, repository, folder, serve, connect
):
    publish(repository, seed=1)
    with pytest.raises(error, match=sentence):
        connect(serve(folder).address).recognize(data)


def test_unusual_formats_of_pictures_are_read(repository, folder, serve, connect, png):
    publish(repository, seed=1)
    client = connect(serve(folder).address)
    gray = Image.open(BytesIO(png)).convert("L")
    frames = [gray.convert("RGB"), Image.new("RGB", gray.size)]
    files = {kind: BytesIO() for kind in ("CMYK", "16 bits", "animated")}
    gray.convert("RGB").convert("CMYK").save(files["CMYK"], "JPEG", quality=100)
    Image.fromarray(np.asarray(gray).astype(np.uint16) * 257).save(files["16 bits"], "PNG")
    frames[0].save(files["animated"], "PNG", save_all=True, append_images=frames[1:])
    usual = client.recognize(png)
    for kind, file in files.items():
        assert client.recognize(file.getvalue()).digit == usual.digit, kind


@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_a_small_file_with_many_pixels_takes_a_bounded_amount_of_memory(mode, repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--workers", 1, "--max-wait-seconds", 600)
    bomb = picture(mode, 5500)
    assert len(bomb) < 300_000
    with Recognizer(process.listening(), timeout=200) as client:
        client.recognize(STROKE)
        before = peak(process.popen.pid)
        callers = [threading.Thread(target=_try, args=(client, bomb)) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        # A pixel takes 4 bytes in each thread that decodes; 4 pictures at once, twice as much each, would take 968 MB.
        assert peak(process.popen.pid) - before < 700


def peak(pid: int) -> int:
    """The most memory that a process ever had, in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


def _try(client: Recognizer, data: bytes) -> None:
    with suppress(PictureError):  # an empty page holds no digit
        client.recognize(data)
