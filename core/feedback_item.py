"""One item of feedback: a picture that a user sent, with the digit that it really shows."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core.artifact.fields import Base64Bytes
from core.digit import LABELS, PIXELS, SIDE
from core.errors import DamagedFeedbackError, PictureError
from core.imaging import corrected

__all__ = ["LARGEST_ORIGINAL", "FeedbackItem", "item_in", "item_name"]

LARGEST_ORIGINAL = 256 * 1024 * 1024
"""Bytes of the largest encoded picture that an item may hold."""

LONGEST_REPLY_ID = 1024
"""Characters. The service accepts far fewer."""

_Pixels = Annotated[Base64Bytes, Field(min_length=PIXELS, max_length=PIXELS)]


class FeedbackItem(BaseModel):
    """A picture, and the digit that it shows according to the user who sent it.

    Attributes:
        digit: 0 to 9.
        pixels: 784 bytes, row by row, 0 background to 255 ink: the picture as a network sees it.
        original: The encoded picture that it was framed from; None if pixels were sent.
        received: When it was received, UTC.
        reply_id: The reply that it is about; empty if unknown.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    digit: int = Field(ge=0, lt=len(LABELS))
    pixels: _Pixels
    original: Annotated[Base64Bytes, Field(max_length=LARGEST_ORIGINAL)] | None = None
    received: AwareDatetime
    reply_id: str = Field("", max_length=LONGEST_REPLY_ID)

    @property
    def name(self) -> str:
        """The name of the item: the sha256 of picture and digit."""
        return item_name(self.pixels, self.digit)

    @property
    def rivals(self) -> dict[str, int]:
        """The digits of all items that would contradict this one, by name: another digit for the same picture."""
        return {item_name(self.pixels, digit): digit for digit in range(len(LABELS)) if digit != self.digit}

    @property
    def trouble(self) -> str:
        """Why nothing can be learned from its pixels; "" if something can.

        The service refuses such pixels, but earlier versions of it stored them.
        """
        try:
            found = corrected(self.image()[np.newaxis])
        except PictureError as error:
            return str(error)
        what = "on the scale 0 to 1" if found.scaled else "dark on light" if found.inverted else ""
        return what and f"its pixels are {what}, expected ink of 255 on 0"

    def image(self) -> NDArray[np.uint8]:
        """The picture, (28, 28) uint8."""
        return np.frombuffer(self.pixels, np.uint8).reshape(SIDE, SIDE)


def item_in(data: bytes, path: Path) -> FeedbackItem:
    """The item that a file holds.

    Args:
        data: Its bytes.
        path: Where it lies; its name without the ending is that of the item.

    Raises:
        DamagedFeedbackError: It holds something else.
    """
    try:
        item = FeedbackItem.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise DamagedFeedbackError(f"{path}: {place}: {first['msg']}") from error
    if item.name != path.stem:
        raise DamagedFeedbackError(f"{path}: its picture and digit make the name {item.name}; it was changed")
    return item


def item_name(pixels: bytes, digit: int) -> str:
    """The sha256 of a picture, 784 bytes row by row, and the digit that it shows, in hexadecimal."""
    return hashlib.sha256(pixels + bytes([digit])).hexdigest()
