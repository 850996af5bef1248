"""What every computation is made of: arrays, their shapes, and the memory that they lie in."""

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
    """Arrays that live from one step to the next, so that a step allocates nothing.

    A fresh array per operation costs page faults that take longer than the arithmetic: at batch 32, the same formulas
    run about ten times slower without `out=`. Each array is as long as the largest batch seen; a shorter batch (the
    last of an epoch) gets a view of its first rows.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._arrays: dict[str, NDArray[Any]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Scratch":
        """What lies about in scratch is nobody's: a copy starts empty."""
        return Scratch(self._dtype)

    def __call__(
        self, name: str, shape: Shape, dtype: DTypeLike | None = None, *, fill: float | None = None
    ) -> NDArray[Any]:
        """The array called `name`, of this shape; its content is whatever was left there.

        Args:
            name: One for each purpose.
            shape: The first axis may be another each time.
            dtype: By default that of the layer.
            fill: What a new array is filled with, for parts of it that nobody writes to later.
        """
        array = self._arrays.get(name)
        if array is None or len(array) < shape[0] or array.shape[1:] != shape[1:]:
            array = self._arrays[name] = aligned.empty(shape, self._dtype if dtype is None else dtype)
            if fill is not None:
                array.fill(fill)
        return array[: shape[0]]
