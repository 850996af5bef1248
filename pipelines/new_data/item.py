"""`NewItem`: a new picture with its digit, wherever it comes from; `SetAside`: what could not become one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.digit import SIDE
from core.feedback_item import item_name

__all__ = ["NewItem", "SetAside", "counted", "shown"]

_LONGEST = 1000
"""Characters of a path that are shown: a manifest holds lines of at most 2000."""


@dataclass(frozen=True, eq=False)
class NewItem:
    """A picture as the network sees it, and the digit that it shows according to whoever gave it.

    Attributes:
        image: uint8 (28, 28), 0 background to 255 ink, read-only.
        label: 0 to 9.
        source: Where it comes from, for people: a word and a folder, such as "extra /data/extra".
        name: The sha256 of the image's bytes and the digit, as that of `core.feedback_item.FeedbackItem`.
        place: The file within the folder, such as "7/a.png", or "a.parquet[17]" for a row of it.
        received: When a user sent it; None if unknown.
        accepted: Whether an administrator of the service has accepted it.
    """

    image: NDArray[np.uint8]
    label: int
    source: str
    name: str
    place: str = ""
    received: datetime | None = None
    accepted: bool = False

    @classmethod
    def of(
        cls,
        pixels: bytes,
        label: int,
        source: str,
        place: str,
        received: datetime | None = None,
        *,
        accepted: bool = False,
    ) -> Self:
        """The item of a framed picture.

        Args:
            pixels: 784 bytes, row by row.
            label: 0 to 9.
            source: See the attributes.
            place: See the attributes.
            received: See the attributes.
            accepted: See the attributes.
        """
        image = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
        name = item_name(pixels, label)
        return cls(image, label, source, name, place, received, accepted)


@dataclass(frozen=True)
class SetAside:
    """Something in a folder of new data that nothing is learned from. It stays where it is.

    Attributes:
        source: As `NewItem.source`.
        place: As `NewItem.place`.
        reason: What is wrong with it, and what to do.
        name: As `NewItem.name`, if it has one: a reviewer decides about it by this name.
    """

    source: str
    place: str
    reason: str
    name: str = ""

    def __str__(self) -> str:
        """A line for people: the path, and the reason."""
        folder = self.source.partition(" ")[2]
        return f"{folder}/{self.place}: {self.reason}"


def shown(path: object) -> str:
    """A path as people can read it: what cannot be printed is written as its escape, and a very long one is cut."""
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(path))
    return text if len(text) <= _LONGEST else f"…{text[1 - _LONGEST :]}"


def counted(pictures: int) -> str:
    """A number of pictures, in words."""
    return f"{pictures:,} picture{'' if pictures == 1 else 's'}"
