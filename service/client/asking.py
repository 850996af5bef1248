"""The requests of a client, built from a picture in any of the forms that its user may have."""

import os
from collections.abc import Iterable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

from core.errors import PictureUnreadableError
from core.picture_file import read_picture
from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    RecognizeBatchRequest,
    RecognizeManyRequest,
    RecognizeRequest,
    SendFeedbackRequest,
)
from protos.numeral.v1.recognizer_pb2 import Picture as PictureMessage
from service.wire import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    Picture = str | PathLike[str] | bytes | Image | NDArray[Any]

__all__ = [
    "LARGEST_FILE",
    "batch_request",
    "explain_request",
    "feedback_request",
    "many_request",
    "picture_field",
    "picture_fields",
    "recognize_request",
]

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes of the largest file that is read. Servers usually accept less, and say how much."""


def recognize_request(picture: "Picture", model_version: str = "") -> RecognizeRequest:
    """The request to recognize one picture."""
    return RecognizeRequest(**picture_field(picture), model_version=model_version)


def batch_request(pictures: "Iterable[Picture]", model_version: str) -> RecognizeBatchRequest:
    """The request to recognize several pictures."""
    return RecognizeBatchRequest(
        pictures=[PictureMessage(**picture_field(picture)) for picture in pictures], model_version=model_version
    )


def many_request(picture: "Picture", model_version: str) -> RecognizeManyRequest:
    """The request to recognize all the digits in one picture."""
    return RecognizeManyRequest(**picture_field(picture), model_version=model_version)


def explain_request(picture: "Picture", digit: int | None, model_version: str) -> ExplainRequest:
    """The request to explain an answer; `digit` is the digit to explain, None for the most probable one."""
    return ExplainRequest(**picture_field(picture), digit=digit, model_version=model_version)


def feedback_request(picture: "Picture", digit: int, about: Reading | None) -> SendFeedbackRequest:
    """The request that sends the true digit of a picture; `about` is the answer that was wrong, if it is known."""
    return SendFeedbackRequest(**picture_field(picture), digit=digit, reply_id=about.reply_id if about else "")


def picture_field(picture: "Picture") -> dict[str, bytes]:
    """A picture as the field of a message: `pixels` for an array (28, 28), else `encoded`.

    Raises:
        PictureUnreadableError: It is an array of no picture, or text in place of a path.
        PictureTooLargeError: The file is too large.
        TypeError: It is no picture.
        OSError: The file cannot be read, or is no regular file.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return {"encoded": bytes(picture)}
    if isinstance(picture, str | PathLike):
        return {"encoded": _content(picture)}
    # Imported here, so that a client that sends files starts faster.
    import numpy as np
    from PIL.Image import Image

    from core.imaging import FRAMING, encoded, levels, one_picture

    if isinstance(picture, Image):
        return {"encoded": encoded(picture)}
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is a path, bytes, a Pillow image or an array, found {type(picture).__name__}")
    array = one_picture(picture)
    if array.shape == (FRAMING.size, FRAMING.size):
        return {"pixels": levels(array[np.newaxis]).tobytes()}
    return {"encoded": encoded(array)}


def picture_fields(pictures: "Iterable[Picture]", failures: list[Exception]) -> Iterator[dict[str, bytes]]:
    """Yields each picture as the field of a message. An error ends the iterator, and is appended to `failures`.

    gRPC would report an error that its iterator of requests raises as its own.
    """
    try:
        for picture in pictures:
            yield picture_field(picture)
    except Exception as error:  # noqa: BLE001 — raised by the caller, where the user sees it
        failures.append(error)


def _content(path: str | PathLike[str]) -> bytes:
    try:
        return read_picture(path, LARGEST_FILE)
    except (OSError, ValueError):
        from core.imaging.kinds import IN_PLACE_OF_A_PATH, kind_of  # imported here for the same reason

        kind = kind_of(os.fsencode(path))
        if kind is None or kind not in IN_PLACE_OF_A_PATH:
            raise
        begin = os.fspath(path)[:40]
        raise PictureUnreadableError(f"a path is expected, {begin!r} … is {kind.name}; {kind.step}") from None
