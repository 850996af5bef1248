"""Normalization: pixels from 0 … 255 to numbers with mean 0 and variance 1. It is a part of the model."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from core.data.large import release
from core.errors import DatasetError

Normalization = Literal["standard", "unit", "none"]
"""What becomes of pixels: mean 0 and variance 1; numbers from 0 to 1; or what they are, to see what happens then."""


@dataclass(frozen=True)
class Normalizer:
    """x = (pixel − mean) / std, with one mean and one standard deviation for all pixels.

    Inputs with mean 0 and unit variance keep the first layer's sums in the range that the initialization assumes
    (LeCun et al. 1998, "Efficient BackProp", §4.3).

    Attributes:
        mean: In pixel units, 0 to 255.
        std: In pixel units, above 0.
    """

    mean: float
    std: float

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> Self:
        """Measure the images to train on; never validation or test images, which stand for pictures not yet seen.

        Args:
            images: (N, …), uint8, in memory or mapped; the pages of a map are released meanwhile.

        Raises:
            DatasetError: No image, or all pixels are alike.
        """
        # A histogram is exact and needs no float copy of the images; bincount makes an int64 copy, hence in chunks.
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), 1024):
            counts += np.bincount(images[start : start + 1024].ravel(), minlength=256)
            if not start % (1 << 16):
                release(images)
        if np.count_nonzero(counts) < 2:
            raise DatasetError(f"cannot normalize {len(images)} images: all their pixels are alike")
        values = np.arange(256)
        mean = float(counts @ values / counts.sum())
        std = float(np.sqrt(counts @ (values - mean) ** 2 / counts.sum()))
        return cls(mean, std)

    @classmethod
    def of(cls, kind: Normalization, images: NDArray[np.uint8]) -> Self:
        """The normalizer of a recipe: `fit` for "standard", and for the others one that the images do not decide."""
        return {"standard": lambda: cls.fit(images), "unit": lambda: cls(0, 255), "none": lambda: cls(0, 1)}[kind]()

    def apply(
        self, images: NDArray[np.uint8] | NDArray[np.float32], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Normalize pixels.

        Args:
            images: (N, …), 0 to 255.
            out: Where to write, float32 of the same shape; may be `images` itself.

        Returns:
            float32 of the same shape.
        """
        # A multiplication and a subtraction are faster than a subtraction and a division, and within 1e-6 of them.
        x = np.multiply(images, np.float32(1 / self.std), out=out, dtype=np.float32)
        x -= np.float32(self.mean / self.std)
        return x
