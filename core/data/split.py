"""The split: which images of the training set train, and which are held out for validation."""

from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.data.labeled import Labeled
from core.errors import DatasetError

__all__ = ["Split"]


@dataclass(frozen=True, eq=False)
class Split:
    """Two disjoint, sorted arrays of indices that together cover the set.

    Attributes:
        train: (N − V,), the images to train on.
        validation: (V,), the images that are only measured: every choice is made on them.
    """

    train: NDArray[np.intp]
    validation: NDArray[np.intp]

    @classmethod
    def random(cls, count: int, validation: int, *, seed: int) -> Self:
        """Hold out `validation` of `count` images, drawn at random.

        Args:
            count: N, the size of the set.
            validation: V, how many images validate.
            seed: The same seed always gives the same split.

        Raises:
            DatasetError: Not at least one image on each side.
        """
        if not 0 < validation < count:
            raise DatasetError(f"cannot set {validation} of {count} images aside for validation, only 1 to {count - 1}")
        order = np.random.default_rng(seed).permutation(count)
        return cls(train=np.sort(order[validation:]), validation=np.sort(order[:validation]))

    def divide(self, whole: Labeled, *added: Labeled) -> tuple[Labeled, Labeled]:
        """The images to train on and those to validate with.

        Args:
            whole: The set that was split.
            added: Further images to train on, e.g. drawn ones and what users sent. They come after the set's own, in
                this order, and never validate, so that the accuracies of all versions are measured on the same images.
        """
        return reduce(Labeled.followed_by, added, whole.rows(self.train)), whole.rows(self.validation)
