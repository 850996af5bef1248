"""`Collected`: what is left of all new data once repetitions, contradictions and pictures of MNIST are taken out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.digit import SIDE
from pipelines.new_data.item import NewItem, SetAside

__all__ = ["Collected", "collect"]

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Collected:
    """All new data, each item once.

    Attributes:
        items: Sorted by their names, so that neither the folders nor their order decide what is learned in which order.
        set_aside: What nothing is learned from, and why.
        sources: Every folder that was read, in the order in which they were.
        known: How many pictures of each source are part of MNIST: test and validation images must never be trained on,
            and training images already are.
        repeated: How many items of each source were read before, from it or from another one.
    """

    items: tuple[NewItem, ...]
    set_aside: tuple[SetAside, ...]
    sources: tuple[str, ...]
    known: Mapping[str, int]
    repeated: Mapping[str, int]


def collect(
    found: Iterable[NewItem | SetAside], sources: Sequence[str], copies: Callable[[Images], NDArray[np.bool_]]
) -> Collected:
    """Take out what must not be learned.

    Args:
        found: All that was read. Of the same picture with the same digit, the first counts.
        sources: Where it was read.
        copies: Tells which images (N, 28, 28) are part of MNIST: (N,); see `pipelines.new_data.known`.
    """
    by_picture: dict[bytes, dict[int, NewItem]] = {}
    set_aside: list[SetAside] = []
    repeated: Counter[str] = Counter()
    for item in found:
        if isinstance(item, SetAside):
            set_aside.append(item)
            continue
        labels = by_picture.setdefault(item.image.tobytes(), {})
        if item.label in labels:
            repeated[item.source] += 1
        labels.setdefault(item.label, item)
    images = np.frombuffer(b"".join(by_picture), np.uint8).reshape(-1, SIDE, SIDE)
    known: Counter[str] = Counter()
    items: list[NewItem] = []
    for labels, copy in zip(by_picture.values(), copies(images).tolist(), strict=True):
        if copy:
            known.update(item.source for item in labels.values())
        elif len(labels) == 1:
            items += labels.values()
        else:
            set_aside += [_contradicted(item, labels) for item in labels.values()]
    items.sort(key=lambda item: item.name)
    return Collected(tuple(items), tuple(set_aside), tuple(sources), known, repeated)


def _contradicted(item: NewItem, labels: Mapping[int, NewItem]) -> SetAside:
    others = [f"{other.place} of {other.source} says {label}" for label, other in labels.items() if label != item.label]
    reason = f"says {item.label}, and {' and '.join(others)} of the same picture; remove what is wrong"
    return SetAside(item.source, item.place, reason)
