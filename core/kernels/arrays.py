"""Arrays, their shapes, and the memory in which they are computed again and again."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.kernels import aligned

Array = NDArray[np.floating[Any]]

Shape = tuple[int, ...]

Step = Callable[[], object]
"""A call with all of its arguments."""


class Scratch:
    """Named arrays that are kept from one training step to the next, so that a step allocates nothing.

    A fresh array for every operation causes page faults that take longer than the arithmetic: at batch 32, the same
    formulas run about ten times slower without `out=`. Each array is as long as the largest batch so far; a shorter
    batch (the last one of an epoch) gets a view of its first rows.

    Attributes:
        dtype: Of every array for which no other is asked.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._arrays: dict[str, NDArray[Any]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scratch":
        """An empty scratch: the contents are of no use to a copy."""
        return Scratch(self.dtype)

    def __call__(
        self, name: str, shape: Shape, dtype: DTypeLike | None = None, *, fill: float | None = None
    ) -> NDArray[Any]:
        """The array called `name`, with this shape; it holds whatever was last written to it.

        Args:
            name: Unique to its purpose.
            shape: The first axis may differ from call to call.
            dtype: By default that of the scratch.
            fill: The number that fills a new array, for the parts of it that are never written to.
        """
        array = self._arrays.get(name)
        if array is None or len(array) < shape[0] or array.shape[1:] != shape[1:]:
            array = self._arrays[name] = aligned.empty(shape, self.dtype if dtype is None else dtype)
            if fill is not None:
                array.fill(fill)
        return array[: shape[0]]
