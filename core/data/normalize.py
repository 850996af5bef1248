"""Normalization: pixels from 0 … 255 to numbers around 0 with spread 1. Part of the model: serving applies the same."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.data.large import let_go
from core.errors import DatasetError


@dataclass(frozen=True)
class Normalizer:
    """x = (pixel − mean) / std, one mean and one standard deviation for all pixels.

    Inputs centered on 0 with unit variance keep the first layer's sums in the range that initialization assumes
    (LeCun et al. 1998, "Efficient BackProp", §4.3).

    Attributes:
        mean: In pixel units, 0 to 255.
        std: In pixel units, above 0.
    """

    mean: float
    std: float

    @classmethod
    def fit(cls, images: NDArray[np.uint8]) -> Self:
        """Measure the training split: never the validation or test images, which stand for pictures not yet seen.

        Args:
            images: (N, …), uint8; in memory, or in a map that is let go meanwhile.

        Raises:
            DatasetError: No image, or all pixels alike.
        """
        # A histogram is exact and needs no float copy of the images; bincount makes an int64 copy, hence the chunks.
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), 1024):
            counts += np.bincount(images[start : start + 1024].ravel(), minlength=256)
            if not start % (1 << 16):
                let_go(images)
        if np.count_nonzero(counts) < 2:
            raise DatasetError(f"cannot normalize {len(images)} images: all their pixels are alike")
        values = np.arange(256)
        mean = float(counts @ values / counts.sum())
        std = float(np.sqrt(counts @ (values - mean) ** 2 / counts.sum()))
        return cls(mean, std)

    def apply(
        self, images: NDArray[np.uint8] | NDArray[np.float32], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Pixels, 0 to 255 (N, …) → float32 of the same shape. `out` may be `images` itself, where they are float32."""
        # As one factor and one offset, faster than a subtraction and a division, and within 1e-6 of them.
        x = np.multiply(images, np.float32(1 / self.std), out=out, dtype=np.float32)
        x -= np.float32(self.mean / self.std)
        return x
