"""Warping: every pixel of the result is read from a place in the image."""

import numpy as np
from numpy.typing import NDArray

Coordinates = NDArray[np.float32]

_PAIR = np.uint32(0x00FF00FF)
"""Mask for bytes 0 and 2 of 4."""


def warp(images: NDArray[np.uint8], rows: Coordinates, columns: Coordinates) -> NDArray[np.float32]:
    """Read images at arbitrary places, by bilinear interpolation.

        y[n, r, c] = x[n, rows[n, r, c], columns[n, r, c]]

    The four pixels around a place are weighted by how near they are: with i, j the integer parts of row and column and
    f, g their fractional parts, y = (1−f)(1−g) x[i, j] + (1−f) g x[i, j+1] + f (1−g) x[i+1, j] + f g x[i+1, j+1].
    Outside the image, x is 0.

    Most of the time goes into fetching pixels from memory, so the four bytes that belong together are packed into one
    number first, once per image: then there is one place to look up, not four. The interpolation along a row treats
    both rows at once, each in its half of the 32 bits, with g rounded to 1/256: y is off by at most half a level. Large
    arrays are changed in place where possible, since memory that is not in the cache costs most here.

    Args:
        images: x, (N, H, W).
        rows: (N, H', W'), or what broadcasts to it; 0 is the middle of the first row of pixels.
        columns: Likewise.

    Returns:
        y, (N, H', W'), 0 to 255, a new array.
    """
    count, height, width = images.shape
    quads = _quads(images)
    i, f = _split(rows, height)
    j, g = _split(columns, width)
    i *= np.int32(width + 1)
    place = i + j + np.arange(count).reshape(count, 1, 1) * ((height + 1) * (width + 1))
    found = quads.take(place, mode="clip")  # all places are inside; "clip" skips the check
    g *= np.float32(256)
    g += np.float32(0.5)
    right = g.astype(np.uint32)
    pair = found >> np.uint32(8)
    pair &= _PAIR
    pair *= right
    found &= _PAIR
    found *= np.subtract(np.uint32(256), right, out=right)
    pair += found  # the upper row's value in the low half, the lower row's in the high half, times 256
    upper = (pair & np.uint32(0xFFFF)).astype(np.float32)
    pair >>= np.uint32(16)
    y: NDArray[np.float32] = pair.astype(np.float32)
    y -= upper
    y *= f
    y += upper
    y *= np.float32(1 / 256)
    return y


def _quads(images: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Each pixel with its neighbors to the right, below, and below to the right, from the lowest byte up.

    Place (n · (H + 1) + i) · (W + 1) + j holds x[i, j], x[i, j+1], x[i+1, j], x[i+1, j+1] of image n. Row and column 0
    are just outside the image; row H + 1 is row 0 of the next image and column W + 1 is column 0 of the next row, both
    empty. No image follows the last one, so zeros are appended.
    """
    count, height, width = images.shape
    size = count * (height + 1) * (width + 1)
    pixels = np.zeros(size + 2 * (width + 2), np.uint32)
    pixels[:size].reshape(count, height + 1, width + 1)[:, 1:, 1:] = images
    across = pixels[1:] << np.uint32(8)
    across |= pixels[:-1]
    quads = across[width + 1 :] << np.uint32(16)
    quads |= across[: -(width + 1)]
    return quads


def _split(coordinates: Coordinates, size: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Integer and fractional parts, from one pixel outside the image on; places beyond are moved to where x is 0."""
    from_outside = np.add(coordinates, 1, dtype=np.float32)
    np.fmax(from_outside, np.float32(0), out=from_outside)  # fmax: NaN counts as outside
    np.minimum(from_outside, np.float32(size + 1), out=from_outside)
    whole = np.floor(from_outside)
    from_outside -= whole
    return whole.astype(np.int32), from_outside
