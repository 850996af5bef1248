"""Recognize over gRPC: the answers, and the errors of invalid requests."""

import logging

import grpc
import numpy as np
import pytest
from PIL import Image

from core.errors import NoDigitError, PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging import digit_from_bytes
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.api.status import status_of
from service.client import UnreachableError
from service.errors import NoModelError
from service.recognition.recognize import Recognition
from tests.service.harness import drawing, encoded, expected
from tests.service.tiny_model import publish

BLANK = encoded(Image.new("L", (60, 60), 255))


def test_pixels_are_used_as_they_are(repository, folder, serve, connect, pixels):
    publish(repository, seed=1)
    reading = connect(serve(folder).address).recognize(pixels)
    assert reading.probabilities == expected(repository, 1, pixels)
    assert reading.digit == int(np.argmax(reading.probabilities))
    assert reading.confidence == max(reading.probabilities)
    assert reading.model_version == "1"
    assert reading.weights_sha256 == repository.manifest(1).files["weights.safetensors"].sha256


def test_an_encoded_picture_is_framed_first(repository, folder, serve, connect, png):
    publish(repository, seed=1)
    reading = connect(serve(folder).address).recognize(png)
    assert reading.probabilities == expected(repository, 1, digit_from_bytes(png))


MALFORMED = [
    ("no picture", RecognizeRequest(), PictureUnreadableError, "holds no picture"),
    ("empty bytes", RecognizeRequest(encoded=b""), PictureUnreadableError, ""),
    ("not a picture", RecognizeRequest(encoded=b"hello"), PictureUnreadableError, ""),
    ("a cut-off PNG", RecognizeRequest(encoded=drawing()[:-40]), PictureUnreadableError, ""),
    ("a blank picture", RecognizeRequest(encoded=BLANK), NoDigitError, ""),
    ("a picture of too many bytes", RecognizeRequest(encoded=bytes(2000)), PictureTooLargeError, ""),
    ("no pixels", RecognizeRequest(pixels=b""), PictureError, "784"),
    ("a pixel too few", RecognizeRequest(pixels=bytes(783)), PictureError, "784"),
    ("a pixel too many", RecognizeRequest(pixels=bytes(785)), PictureError, "784"),
]


@pytest.mark.parametrize(("request_", "kind", "words"), [pytest.param(*row[1:], id=row[0]) for row in MALFORMED])
def test_a_picture_without_a_digit_is_an_invalid_argument_with_the_reason(
    repository, folder, serve, request_, kind, words
):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder, max_picture_bytes=1900).address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            RecognizerStub(channel).Recognize(request_, timeout=60)
        error = caught.value
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert len(error.details()) > 15
        assert words in error.details()
        named = dict(error.trailing_metadata())["numeral-error"]
        assert issubclass({c.__name__: c for c in (PictureError, *PictureError.__subclasses__())}[named], kind)


def test_malformed_bytes_are_an_invalid_argument(repository, folder, serve):
    publish(repository, seed=1)
    with grpc.insecure_channel(serve(folder).address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/numeral.v1.Recognizer/Recognize")(b"\xff\xff\xff", timeout=60)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "RecognizeRequest" in caught.value.details()


def test_a_message_beyond_the_size_limit_is_refused(repository, folder, serve, connect):
    publish(repository, seed=1)
    client = connect(serve(folder, max_picture_bytes=1024).address)
    with pytest.raises(PictureTooLargeError):
        client.recognize(bytes(200_000))


def test_before_a_version_is_loaded_the_service_is_unavailable(folder, serve, connect, pixels):
    with pytest.raises(UnreachableError, match="no model is loaded yet"):
        connect(serve(folder).address).recognize(pixels)


def test_an_unforeseen_error_is_logged_but_not_sent(repository, folder, serve, connect, pixels, monkeypatch, caplog):
    publish(repository, seed=1)
    client = connect(serve(folder).address)

    def fail(*_: object, **_options: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(Recognition, "compute", fail)
    with pytest.raises(Exception, match="INTERNAL: internal error") as caught:
        client.recognize(pixels)
    assert "secret" not in str(caught.value)
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert "numeral.v1.Recognizer/Recognize" in record.getMessage()
    assert "a secret of the inside" in str(record.exc_info[1])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PictureError("p"), grpc.StatusCode.INVALID_ARGUMENT),
        (NoDigitError("p"), grpc.StatusCode.INVALID_ARGUMENT),
        (NoModelError("m"), grpc.StatusCode.UNAVAILABLE),
        (ValueError("v"), grpc.StatusCode.INTERNAL),
    ],
)
def test_each_class_of_error_has_its_status(error, code):
    found, sentence = status_of(error)
    assert found is code
    assert sentence == ("internal error" if code is grpc.StatusCode.INTERNAL else str(error))
