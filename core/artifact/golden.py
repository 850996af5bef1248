"""Golden inputs and outputs: what the trainer computed, and every load must compute again."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from core.artifact.fields import Base64Bytes, Fraction, Part, require_whole
from core.digit import PIXELS, SIDE

__all__ = ["Golden"]

_MOST = 1000
"""Images. A training keeps ten."""


class Golden(Part):
    """Inputs and the probabilities that the trainer computed for them, which every load must reproduce."""

    images: Annotated[Base64Bytes, Field(max_length=_MOST * PIXELS)]
    probabilities: tuple[tuple[Fraction, ...], ...] = Field(max_length=_MOST)
    tolerance: float = Field(1e-4, ge=0, le=1e-3)

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if len({len(row) for row in self.probabilities}) != 1:
            raise ValueError("rows of probabilities that differ in length, or none; expected one an image")
        if len(self.images) != len(self.probabilities) * PIXELS:
            raise ValueError(
                f"{len(self.images)} bytes of images for {len(self.probabilities)} outputs, "
                f"expected {PIXELS} bytes each"
            )
        for row in self.probabilities:
            require_whole(row)
        return self

    def arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Images (G, 28, 28) uint8 and probabilities (G, K) float32."""
        return (
            np.frombuffer(self.images, np.uint8).reshape(-1, SIDE, SIDE),
            np.asarray(self.probabilities, np.float32),
        )
