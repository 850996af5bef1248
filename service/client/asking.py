"""What a client sends: whatever picture its user has, as the field of a message."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PictureUnreadableError
from protos.numeral.v1.recognizer_pb2 import (
    ExplainRequest,
    RecognizeBatchRequest,
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

__all__ = ["attempt", "batch_request", "explain_request", "feedback_request", "form", "recognize_request"]


def recognize_request(picture: "Picture", model_version: str = "") -> RecognizeRequest:
    """Ask about one picture."""
    return RecognizeRequest(**form(picture), model_version=model_version)


def batch_request(pictures: "Iterable[Picture]", model_version: str) -> RecognizeBatchRequest:
    """Ask about several."""
    return RecognizeBatchRequest(
        pictures=[PictureMessage(**form(picture)) for picture in pictures], model_version=model_version
    )


def explain_request(picture: "Picture", digit: int | None, model_version: str) -> ExplainRequest:
    """Ask what speaks for a digit."""
    return ExplainRequest(**form(picture), digit=digit, model_version=model_version)


def feedback_request(picture: "Picture", digit: int, about: Reading | None) -> SendFeedbackRequest:
    """Say which digit a picture shows."""
    return SendFeedbackRequest(**form(picture), digit=digit, reply_id=about.reply_id if about else "")


def form(picture: "Picture") -> dict[str, bytes]:
    """A picture in the form in which it is sent, as the field of a message.

    Raises:
        PictureUnreadableError: An array of another shape or kind.
        TypeError: No picture.
        OSError: The file cannot be read.
    """
    if isinstance(picture, bytes | bytearray | memoryview):
        return {"encoded": bytes(picture)}
    if isinstance(picture, str | PathLike):
        return {"encoded": Path(picture).read_bytes()}
    # Imported here: a client that sends files starts faster without the two.
    import numpy as np
    from PIL.Image import Image

    if isinstance(picture, Image):
        return {"encoded": _png(picture)}
    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is a path, bytes, a Pillow image or an array, found {type(picture).__name__}")
    if picture.shape != (28, 28) or picture.dtype != np.uint8:
        raise PictureUnreadableError(f"array {picture.shape} {picture.dtype}, expected (28, 28) uint8")
    return {"pixels": picture.tobytes()}


def attempt(pictures: "Iterable[Picture]", failures: list[Exception]) -> Iterator[dict[str, bytes]]:
    """The pictures as they are sent, until there is no more, or one cannot be had: then the error is put in `failures`.

    For gRPC, which takes an error of an iterator for its own.
    """
    try:
        for picture in pictures:
            yield form(picture)
    except Exception as error:  # noqa: BLE001 — it is raised where the user sees it
        failures.append(error)


def _png(image: "Image") -> bytes:
    in_png = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    buffer = BytesIO()
    (image if in_png else image.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()
