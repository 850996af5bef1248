"""09: one epoch in batches."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import require_untouched
from exercises.learners_file import call, function_of
from exercises.verdict import WrongError

__all__ = ["epochs"]

Array = NDArray[Any]

IMAGES, SIZE = 103, 20
"""The size does not divide the number of images: the last batch has three."""


def epochs(names: Mapping[str, Any]) -> None:
    """Draw two epochs, whose images say which they are.

    Raises:
        WrongError: Images are missing, occur twice or without their labels, or have no new order.
    """
    function = function_of(names, "minibatches")
    x = np.arange(IMAGES * 2.0).reshape(IMAGES, 2)  # image n is (2n, 2n + 1)
    labels = np.arange(IMAGES) % 10
    rng = np.random.default_rng(9)
    first = _epoch(function, x, labels, rng)
    if np.array_equal(first, np.arange(IMAGES)):
        raise _wrong(
            "The images come in the order of the file: nothing was shuffled. rng.permutation(len(x)) is a random "
            "order.",
            "not shuffled",
        )
    if np.array_equal(first, _epoch(function, x, labels, rng)):
        raise _wrong(
            "Every epoch has the same order: the generator must go on from where it was. Use `rng`, and make none of "
            "your own.",
            "same order",
        )
    if not np.array_equal(first, _epoch(function, x, labels, np.random.default_rng(9))):
        raise _wrong(
            "The order does not come from `rng`, the generator that is given: a training could not be repeated.",
            "global generator",
        )


def _epoch(function: Any, x: Array, labels: Array, rng: np.random.Generator) -> Array:
    """The numbers of the images, in the order of one epoch."""
    given = {"x": x.copy(), "labels": labels.copy(), "size": SIZE, "rng": rng}
    result = call("minibatches", function, given)
    if not isinstance(result, Iterable) or isinstance(result, np.ndarray):
        raise _wrong(
            f"minibatches returns {'None' if result is None else f'a {type(result).__name__}'}: it is to yield pairs, "
            "`yield x[…], labels[…]`, so that they can be looped over."
        )
    batches = []
    for pair in result:
        batches.append(_pair(pair))
        if len(batches) > 10 * IMAGES:
            raise _wrong(
                "One epoch never ends: it is one pass over the images. To get another one, call it again.", "endless"
            )
    require_untouched("minibatches", {"x": x, "labels": labels}, given)
    if not batches:
        raise _wrong("minibatches yields nothing.")
    found = np.concatenate([batch for batch, _ in batches])[:, 0] / 2
    numbers = found.astype(int)
    _require_all(numbers, [len(batch) for batch, _ in batches])
    if not np.array_equal(np.concatenate([named for _, named in batches]), labels[numbers]):
        raise _wrong(
            "Images and labels were shuffled apart: an image comes with the label of another one. One order is for "
            "both.",
            "labels apart",
        )
    return numbers


def _require_all(numbers: Array, sizes: list[int]) -> None:
    counts = np.bincount(numbers, minlength=IMAGES)
    if max(sizes) > SIZE:
        raise _wrong(f"A batch has {max(sizes)} images, expected at most {SIZE}, the size that is given.", "too large")
    if (counts > 1).any() and (counts == 0).any():
        raise _wrong(
            "Some images occur twice and others never: they were drawn with replacement. A permutation has each "
            "exactly once.",
            "replacement",
        )
    if len(numbers) == IMAGES // SIZE * SIZE:
        raise _wrong(
            f"The last batch is missing: {IMAGES} images in batches of {SIZE} are {IMAGES // SIZE} whole ones and "
            f"one of {IMAGES % SIZE}.",
            "last batch",
        )
    if (counts != 1).any():
        raise _wrong(
            f"One epoch has {len(numbers)} images, expected each of the {IMAGES} exactly once.", "not each once"
        )
    if sizes[:-1] != [SIZE] * (len(sizes) - 1):
        raise _wrong(
            f"The batches have {', '.join(map(str, sizes))} images, expected {SIZE} in each but the last.", "uneven"
        )


def _pair(pair: Any) -> tuple[Array, Array]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise _wrong("minibatches is to yield pairs: some images, and their labels.")
    images, labels = np.asarray(pair[0]), np.asarray(pair[1])
    if images.ndim != 2 or labels.ndim != 1 or len(images) != len(labels):
        raise _wrong(
            f"A pair has the shapes {images.shape} and {labels.shape}, expected (n, 2) and (n,): n images, and as "
            "many labels."
        )
    return images, labels


def _wrong(sentence: str, slip: str = "") -> WrongError:
    return WrongError(sentence, function="minibatches", output="batches", slips=[slip] if slip else [])
