"""New pictures to sort: MNIST's test images a little moved, whose digits are known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.data import mnist
from core.data.labeled import Labeled
from core.feedback_item import item_name
from core.shipped import ROOT
from pipelines.new_data.item import NewItem
from pipelines.new_data.judgement import Judgement

SOURCE = "feedback /somewhere"


def written(count: int, start: int = 0) -> Labeled:
    """Some of MNIST's test images, moved by a pixel: a retraining would leave out what is in MNIST itself."""
    whole = mnist.load(ROOT / "data" / "mnist")
    rows = slice(start, start + count)
    return Labeled(np.roll(whole.test_images[rows], 1, axis=2), whole.test_labels[rows])


def items_of(images: Labeled, source: str = SOURCE) -> list[NewItem]:
    """These images, all from one source."""
    return [_item(*row, source) for row in zip(images.images, images.labels.tolist(), strict=True)]


def mislabeled(images: Labeled, share: float = 1.0, seed: int = 0) -> Labeled:
    """The same images, a random share of them with another digit."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(images)) < share
    other = (images.labels + rng.integers(1, 10, len(images))) % 10
    return Labeled(images.images, np.where(wrong, other, images.labels).astype(np.uint8))


def plain(label: int, number: int, source: str = SOURCE) -> NewItem:
    """Any picture, to be sorted by a judgement that is made up."""
    return _item(np.random.default_rng(number).integers(0, 256, (28, 28), np.uint8), label, source)


def agreeing(items: Sequence[NewItem]) -> dict[str, Judgement]:
    """A judge that reads in every picture what it is said to show."""
    return {item.name: Judgement(item.label, 0.99, 0.99, rejected=False) for item in items}


def contradicting(items: Sequence[NewItem]) -> dict[str, Judgement]:
    """A judge that reads another digit in every picture."""
    return {item.name: Judgement((item.label + 1) % 10, 0.98, 0.01, rejected=False) for item in items}


def _item(image: NDArray[np.uint8], label: int, source: str) -> NewItem:
    return NewItem(image, label, source, item_name(image.tobytes(), label))
