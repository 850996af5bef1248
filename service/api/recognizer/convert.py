"""Between the messages of numeral.v1 and the values that the service computes with."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray

from core.artifact.manifest import Manifest
from core.errors import PictureError, PictureUnreadableError
from core.imaging import FRAMING, as_framed, from_pixels
from protos.numeral.v1.recognizer_pb2 import (
    FeedbackItem,
    GetModelResponse,
    TestResult,
)
from service.loaded import Loaded
from service.recognition.feedback import Listed

__all__ = ["WithPicture", "feedback_item", "framed", "model", "picture_of", "picture_or_error"]


class WithPicture(Protocol):
    """A message with a picture in one of its two forms."""

    encoded: bytes
    pixels: bytes

    def WhichOneof(self, oneof_group: str) -> str | None:  # noqa: N802 — protobuf's name
        """The form that is set; None if neither is."""


def picture_of(message: WithPicture) -> bytes | NDArray[np.uint8]:
    """The picture in a message: the bytes of an encoded picture, or a framed image, (28, 28).

    Raises:
        PictureUnreadableError: The message holds no picture, another number of pixels, or pixels of no certain scale or
            polarity.
        NoDigitError: Nothing is drawn in the pixels.
    """
    match message.WhichOneof("picture"):
        case "encoded":
            return message.encoded
        case "pixels":
            return from_pixels(message.pixels)
        case _:
            raise PictureUnreadableError(
                "the request holds no picture: set `encoded` (PNG, JPEG, …) or `pixels` (784 bytes)"
            )


def picture_or_error(message: WithPicture) -> bytes | NDArray[np.uint8] | PictureError:
    """The same for one of several pictures, of which the others can be read even if this one cannot."""
    try:
        return picture_of(message)
    except PictureError as error:
        return error


def framed(messages: Sequence[WithPicture]) -> NDArray[np.uint8] | None:
    """The images of messages that all hold framed images, (N, 28, 28); None if one of them holds anything else."""
    pixels = [message.pixels for message in messages]
    if any(len(each) != FRAMING.size**2 for each in pixels):
        return None
    try:
        return as_framed(np.frombuffer(b"".join(pixels), np.uint8).reshape(-1, FRAMING.size, FRAMING.size))
    except PictureError:
        return None


def model(loaded: Loaded, aliases: tuple[str, ...]) -> GetModelResponse:
    """The description of a version."""
    manifest: Manifest = loaded.manifest
    created = Timestamp()
    created.FromDatetime(manifest.created)
    low, high = manifest.test.interval
    return GetModelResponse(
        name=manifest.name,
        labels=manifest.labels,
        created=created,
        recipe=manifest.recipe_name,
        parameters=manifest.architecture.parameter_count,
        input_shape=manifest.architecture.input_shape,
        test=TestResult(
            images=manifest.test.count,
            accuracy=manifest.test.accuracy,
            accuracy_low=low,
            accuracy_high=high,
            calibration_error=manifest.test.calibration_error,
        ),
        temperature=manifest.calibration.temperature,
        aliases=aliases,
        model_version=loaded.version,
        weights_sha256=loaded.weights_sha256,
    )


def feedback_item(listed: Listed) -> FeedbackItem:
    """An item of feedback, as reviewers see it."""
    if listed.item is None:
        return FeedbackItem(item=listed.name, trouble=listed.trouble)
    received = Timestamp()
    received.FromDatetime(listed.item.received)
    return FeedbackItem(
        item=listed.name,
        digit=listed.item.digit,
        pixels=listed.item.pixels,
        received=received,
        reply_id=listed.item.reply_id,
        trouble=listed.trouble,
        accepted=listed.accepted,
    )
