"""`Collected`: what is left of all new data once repetitions, contradictions and pictures of MNIST are taken out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.digit import SIDE
from pipelines.new_data.item import NewItem, SetAside
from pipelines.new_data.reviews import Decisions

__all__ = ["Collected", "collect"]

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Collected:
    """All new data, each item once.

    Attributes:
        items: Sorted by their names, so that neither the folders nor their order decide what is learned in which order.
        set_aside: What nothing is learned from, and why.
        contradicted: Those of them that can be read, of whose pictures others say another digit.
        sources: Every folder that was read, in the order in which they were.
        known: How many pictures of each source are part of MNIST: test and validation images must never be trained on,
            and training images already are.
        repeated: How many items of each source were read before, from it or from another one.
    """

    items: tuple[NewItem, ...]
    set_aside: tuple[SetAside, ...]
    contradicted: tuple[NewItem, ...]
    sources: tuple[str, ...]
    known: Mapping[str, int]
    repeated: Mapping[str, int]


def collect(
    found: Iterable[NewItem | SetAside],
    sources: Sequence[str],
    copies: Callable[[Images], NDArray[np.bool_]],
    decided: Decisions,
) -> Collected:
    """Take out what must not be learned.

    Of a picture with several digits, nothing is learned until a person has decided. An item that is rejected
    contradicts no other, and one that is accepted is contradicted by no other: whoever sends it later with another
    digit cannot take it out again.

    Args:
        found: All that was read. Of the same picture with the same digit, the first counts.
        sources: Where it was read.
        copies: Tells which images (N, 28, 28) are part of MNIST: (N,); see `pipelines.new_data.known`.
        decided: What people have decided with the commands of the pipelines; it goes before what was accepted with the
            service. What they have rejected is among the items all the same, so that it is counted, listed, and can be
            accepted after all; `pipelines.new_data.trust` leaves it out.
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
    contradicted: list[NewItem] = []
    for labels, copy in zip(by_picture.values(), copies(images).tolist(), strict=True):
        if copy:
            known.update(item.source for item in labels.values())
            continue
        rejected = [item for item in labels.values() if item.name in decided.rejected]
        claims = [item for item in labels.values() if item.name not in decided.rejected]
        accepted = [item for item in claims if item.name in decided.accepted] or [
            item for item in claims if item.accepted
        ]
        standing = accepted if len(accepted) == 1 else claims if len(claims) == 1 else []
        items += rejected + standing
        for item in claims:
            if item not in standing:
                contradicted.append(item)
                set_aside.append(_contradicted(item, claims))
    items.sort(key=lambda item: item.name)
    return Collected(tuple(items), tuple(set_aside), tuple(contradicted), tuple(sources), known, repeated)


def _contradicted(item: NewItem, claims: Sequence[NewItem]) -> SetAside:
    others = [
        f"{other.place} of {other.source} says {other.label} ({other.name[:12]})"
        for other in claims
        if other is not item
    ]
    reason = (
        f"says {item.label} ({item.name[:12]}), and {' and '.join(others)} of the same picture; accept what is right "
        "or reject what is wrong, with python -m pipelines feedback"
    )
    return SetAside(item.source, item.place, reason, item.name)
