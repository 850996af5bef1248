"""The share of new data that is never trained on, so that it tells how well pictures like it are read."""

import hashlib
from collections.abc import Iterable

import numpy as np

from core.data.labeled import Labeled
from core.digit import SIDE
from pipelines.new_data.account import account_of
from pipelines.new_data.item import NewItem
from pipelines.references import DatasetRef

__all__ = ["divide", "held_out", "held_out_by_source", "labeled"]

_WHOLE = 1 << 64


def divide(items: Iterable[NewItem], share: float) -> tuple[list[NewItem], list[NewItem]]:
    """Those to train on, and those that are held out, each in the given order.

    The picture alone decides on which side an item is: the digest of its bytes, read as a number, lies below the share
    or not. So no picture wanders from one side to the other, however many others come and go, and whichever digit it
    is given; and of a picture that is held out by one share, each larger share holds it out as well.

    Args:
        items: What was collected.
        share: Of all possible pictures, 0 to 1.
    """
    sides: tuple[list[NewItem], list[NewItem]] = ([], [])
    for item in items:
        sides[_position(item) < share].append(item)
    return sides


def labeled(items: Iterable[NewItem]) -> Labeled:
    """The images and labels of items, in the given order; there may be none."""
    given = list(items)
    images = np.array([item.image for item in given], np.uint8).reshape(-1, SIDE, SIDE)
    return Labeled(images, np.array([item.label for item in given], np.uint8))


def held_out(dataset: DatasetRef) -> Labeled:
    """The new data that a run holds out, of all sources; there may be none."""
    found = dataset.new_data and dataset.new_data.held_out
    return Labeled.unpack(found.read()) if found else labeled(())


def held_out_by_source(dataset: DatasetRef) -> dict[str, Labeled]:
    """The new data that a run holds out, by its source; no source without any."""
    account = account_of(dataset)
    if account is None:
        return {}
    whole, start, found = held_out(dataset), 0, {}
    for source in account.sources:
        count = sum(source.held_out)
        if count:
            found[source.source] = whole.rows(np.arange(start, start + count))
        start += count
    return found


def _position(item: NewItem) -> float:
    """From 0 to 1, evenly spread over pictures."""
    digest = hashlib.sha256(item.image.tobytes()).digest()
    return int.from_bytes(digest[:8], "big") / _WHOLE
