"""The requests of a client, built from a picture in any of the forms that its user may have."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PictureUnreadableError
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
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Picture = str | PathLike[str] | bytes | Image | NDArray[np.uint8]

__all__ = [
    "batch_request",
    "explain_request",
    "feedback_request",
    "many_request",
    "picture_field",
    "picture_fields",
    "recognize_request",
]


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
    """A picture as the field of a message: `encoded` or `pixels`.

    Raises:
        PictureUnreadableError: It is an array of another shape or dtype.
        TypeError: It is no picture.
        OSError: The file cannot be read.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return {"encoded": bytes(picture)}
    if isinstance(picture, str | PathLike):
        return {"encoded": Path(picture).read_bytes()}
    # Imported here, so that a client that sends files starts faster.
    import numpy as np
    from PIL.Image import Image

    if isinstance(picture, Image):
        return {"encoded": _png(picture)}
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is a path, bytes, a Pillow image or an array, found {type(picture).__name__}")
    if picture.shape != (28, 28) or picture.dtype != np.uint8:
        raise PictureUnreadableError(f"array {picture.shape} {picture.dtype}, expected (28, 28) uint8")
    return {"pixels": picture.tobytes()}


def picture_fields(pictures: "Iterable[Picture]", failures: list[Exception]) -> Iterator[dict[str, bytes]]:
    """Yields each picture as the field of a message. An error ends the iterator, and is appended to `failures`.

    gRPC would report an error that its iterator of requests raises as its own.
    """
    try:
        for picture in pictures:
            yield picture_field(picture)
    except Exception as error:  # noqa: BLE001 — raised by the caller, where the user sees it
        failures.append(error)


def _png(image: "Image") -> bytes:
    in_png = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    buffer = BytesIO()
    (image if in_png else image.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()
