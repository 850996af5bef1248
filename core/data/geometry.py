"""Where the pixels of an image come from: one map, into which all geometric transforms are combined.

With p a pixel's place, counted from the image's center,

    source(p) = A p + t + u(p)

A is the product of rotations, scalings and shears, t the translation, and u the elastic field. However many transforms
there are, the image is interpolated once.
"""

import numpy as np
from numpy.typing import NDArray

from core.data.warp import warp

Reals = NDArray[np.float32]

CHUNK = 16
"""Images that are processed at once. Their arrays stay in a core's cache, and below the size (128 KB) from which the
allocator returns memory to the system after each use: page faults of new memory take four times as long as the
arithmetic."""


class Geometry:
    """Where the pixels of a batch come from: source(p) = A p + t + u(p).

    Attributes:
        A: (N, 2, 2), from (row, column) to (row, column).
        t: (N, 2), in pixels.
        u: (N, 2, H, W), in pixels; None while there is no field.
    """

    def __init__(self, count: int, height: int, width: int) -> None:
        self.count, self.height, self.width = count, height, width
        self.A: Reals = np.broadcast_to(np.eye(2, dtype=np.float32), (count, 2, 2))
        self.t: Reals = np.zeros((count, 2), np.float32)
        self.u: Reals | None = None

    def apply(self, images: NDArray[np.uint8]) -> Reals:
        """Interpolate the images, (N, H, W), at the places where their pixels come from.

        Returns:
            (N, H, W), 0 to 255, a new array.
        """
        r = np.arange(self.height, dtype=np.float32).reshape(-1, 1) - np.float32((self.height - 1) / 2)  # (H, 1)
        c = np.arange(self.width, dtype=np.float32) - np.float32((self.width - 1) / 2)  # (W,)
        moved = np.empty(images.shape, np.float32)
        for start in range(0, self.count, CHUNK):
            part = slice(start, start + CHUNK)
            rows, columns = (self._axis(k, part, r, c) for k in (0, 1))
            moved[part] = warp(images[part], rows, columns)
        return moved

    def _axis(self, k: int, part: slice, r: Reals, c: Reals) -> Reals:
        A = self.A[part, ..., np.newaxis, np.newaxis]  # (N, 2, 2, 1, 1)
        t = self.t[part, ..., np.newaxis, np.newaxis]  # (N, 2, 1, 1)
        center = np.float32(((self.height, self.width)[k] - 1) / 2)
        source: Reals = A[:, k, 0] * r + (t[:, k] + center) + A[:, k, 1] * c  # (N, H, W)
        if self.u is not None:
            source += self.u[part, k]
        return source
