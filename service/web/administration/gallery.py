"""Feedback, prepared for its page: each item as a picture, beside what the served version reads in it now."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.digit import SIDE
from core.errors import NumeralError
from service.client import AccessError, AsyncRecognizer, FeedbackEntry, Reading, ServiceError

__all__ = ["FILTERS", "Found", "Tile", "gather"]

PAGE = 48
"""Items that the page shows at once."""

MOST_PAGES = 10
"""Pages of the service's list that are looked through for items that pass a filter, before the next link."""

FILTERS = ("all", "disagreeing", "trouble", "accepted")


@dataclass(frozen=True)
class Tile:
    """One item.

    Attributes:
        entry: What the service says of it.
        picture: A data URI; "" if its picture cannot be read.
        reading: What the served version reads now; None if nothing, and then `refusal` may say why.
        refusal: Why the picture is not read.
    """

    entry: FeedbackEntry
    picture: str
    reading: Reading | None
    refusal: str

    @property
    def disagrees(self) -> bool:
        """Whether the served version reads another digit, or none."""
        return self.reading is not None and (self.reading.digit != self.entry.digit or bool(self.reading.rejected))

    def passes(self, wanted: str) -> bool:
        """Whether a filter shows it."""
        return {
            "disagreeing": self.disagrees,
            "trouble": bool(self.entry.trouble),
            "accepted": self.entry.accepted,
        }.get(wanted, True)


@dataclass(frozen=True)
class Found:
    """A page of the gallery.

    Attributes:
        tiles: The items.
        next_page: Where the next page begins; "" after the last one.
        looked_at: How many items were looked at.
        unread: Why no item was read, e.g. because no version is loaded; "" if they were.
    """

    tiles: list[Tile]
    next_page: str
    looked_at: int
    unread: str


async def gather(client: AsyncRecognizer, wanted: str, page: str) -> Found:
    """The items that pass a filter, from a page on.

    Args:
        client: The service.
        wanted: One of `FILTERS`.
        page: Where to begin; "" for the beginning.

    Raises:
        ServiceError: The list cannot be had. That items cannot be read raises nothing.
    """
    tiles: list[Tile] = []
    looked_at, unread = 0, ""
    for _ in range(1 if wanted == "all" else MOST_PAGES):
        answer = await client.feedback(page_size=PAGE, page=page)
        looked_at += len(answer.items)
        made, why = await _tiles(client, answer.items)
        unread = unread or why
        tiles += [tile for tile in made if tile.passes(wanted)]
        page = answer.next_page
        if not page or len(tiles) >= PAGE:
            break
    return Found(tiles, page, looked_at, unread)


async def _tiles(client: AsyncRecognizer, items: tuple[FeedbackEntry, ...]) -> tuple[list[Tile], str]:
    images = {place: image for place, item in enumerate(items) if (image := _image(item.image)) is not None}
    outcomes: dict[int, Reading | NumeralError] = {}
    why = ""
    if images:
        try:  # one call, and thus one version, for all
            answered = await client.recognize_batch(list(images.values()))
            outcomes = dict(zip(images, answered, strict=True))
        except AccessError:
            raise
        except ServiceError as error:
            why = str(error)
    return [_tile(item, images.get(place), outcomes.get(place)) for place, item in enumerate(items)], why


def _tile(item: FeedbackEntry, image: NDArray[np.uint8] | None, outcome: Reading | NumeralError | None) -> Tile:
    return Tile(
        item,
        picture="" if image is None else picture(image),
        reading=outcome if isinstance(outcome, Reading) else None,
        refusal=str(outcome) if isinstance(outcome, NumeralError) else "",
    )


def _image(image: Any) -> NDArray[np.uint8] | None:
    """The picture of an item, (28, 28) uint8; None if it has none, as a damaged one."""
    if image is None:
        return None
    array = np.asarray(image)
    return array if array.shape == (SIDE, SIDE) and array.dtype == np.uint8 and array.any() else None


def picture(image: NDArray[np.uint8]) -> str:
    """(28, 28) uint8 → a data URI of a gray PNG; 255, ink, is white."""
    data = BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
