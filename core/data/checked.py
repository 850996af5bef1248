"""What arrays must be to be trained on. It is checked once, before the first step, so that no step pays for it.

NumPy would take most of what is refused here without a word: labels of shape (N, 1) broadcast against (N,), and −1
counts from the end. The network would learn something else than was meant, and its accuracy would be no accuracy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.large import is_mapped
from core.errors import DatasetError

__all__ = ["check_inputs", "check_labels"]


def check_inputs(inputs: NDArray[Any]) -> None:
    """Check that each row is an array of finite real numbers.

    Floats in a memory map are not looked at, because the whole file would have to be read for it; a training notices a
    number that is not finite in the first step that meets it.

    Raises:
        DatasetError: They are something else.
    """
    if inputs.dtype.kind not in "buif" or inputs.ndim < 2:
        raise DatasetError(f"inputs: {_found(inputs)}, expected real numbers (N, …): one array for each image")
    if inputs.dtype.kind == "f" and inputs.size and not is_mapped(inputs):
        low, high = inputs.min(), inputs.max()  # both are NaN where any number is
        if not (np.isfinite(low) and np.isfinite(high)):
            broken = ~np.isfinite(inputs.reshape(len(inputs), -1)).all(axis=1)
            first, count = int(broken.argmax()), int(np.count_nonzero(broken))
            raise DatasetError(
                f"inputs: {count:,} of {len(inputs):,} images hold a number that is NaN or infinite, the first is "
                f"image {first:,}; expected finite numbers"
            )


def check_labels(labels: NDArray[Any], classes: int | None = None) -> None:
    """Check that each label is the index of a class.

    Args:
        labels: One for each image.
        classes: How many classes there are, if it is known.

    Raises:
        DatasetError: They are something else.
    """
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DatasetError(f"labels: {_found(labels)}, expected integers (N,): the class of each image")
    if not len(labels):
        return
    expected = "0 or more" if classes is None else f"0 to {classes - 1}"
    for worst in (int(labels.argmin()), int(labels.argmax())):
        label = int(labels[worst])
        if label < 0 or (classes is not None and label >= classes):
            raise DatasetError(f"labels: {label} for image {worst:,}, expected {expected}")


def _found(array: NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"
