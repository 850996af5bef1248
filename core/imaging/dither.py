"""Dots of few colors that stand for all others: dithered pictures, and what they were made from."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

MOST_COLORS = 256  # of a dithered picture that is in color
NEARLY = 32  # gray levels from black or white
LEAST_EXTREME = 0.9  # share of the pixels of a gray picture that are nearly black or white …
LEAST_ALONE = 0.01  # … and of dots: those that are lighter than their four neighbors, or darker
DIFFERENT = 24  # gray levels
SMALLEST = 64  # pixels: in smaller pictures, dots are strokes
DOTS = 2.0  # pixels: a Gaussian of this deviation averages a few dozen dots
ENLARGED = (4, 3, 2)  # pixels: sides of the squares that dots may have become


def undithered(picture: Image.Image) -> Image.Image:
    """A picture of mode "L" or "RGB" with dots averaged; or the picture as it is, if it is not dithered.

    Where dots were enlarged to squares of several pixels, the picture becomes as small as it was before.
    """
    if not _has_few_colors(picture):
        return picture
    small = _as_it_was(picture)
    if min(small.size) < SMALLEST:
        return picture
    gray = np.asarray(small.convert("L")).astype(np.int16)
    alone = _peaks(gray).mean() + _peaks(-gray).mean()
    return small.filter(ImageFilter.GaussianBlur(DOTS)) if alone >= LEAST_ALONE else picture


def _peaks(gray: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which pixels of (H, W) are lighter than all of their four neighbors, (H - 2, W - 2)."""
    middle = gray[1:-1, 1:-1]
    around = np.maximum(np.maximum(gray[:-2, 1:-1], gray[2:, 1:-1]), np.maximum(gray[1:-1, :-2], gray[1:-1, 2:]))
    peaks: NDArray[np.bool_] = middle - around >= DIFFERENT
    return peaks


def _has_few_colors(picture: Image.Image) -> bool:
    """Whether nearly all pixels are black or white, or have one of few colors."""
    if picture.mode != "L":
        return picture.getcolors(MOST_COLORS) is not None
    pixels = picture.width * picture.height
    # In a photograph, a quarter of the picture often holds too many pixels between black and white already.
    quarter = picture.crop((0, 0, picture.width, picture.height // 4))
    between = (sum(part.histogram()[NEARLY:-NEARLY]) for part in (quarter, picture))
    return all(pixels - count >= LEAST_EXTREME * pixels for count in between)


def _as_it_was(picture: Image.Image) -> Image.Image:
    """The picture with one pixel for each square of equal pixels, if it consists of such squares."""
    pixels = np.asarray(picture)
    for side in ENLARGED:
        whole = pixels[: len(pixels) // side * side, : pixels.shape[1] // side * side]
        rows = whole[::side]
        corners = rows[:, ::side]
        # Whole rows first: they lie together in memory, and hardly any other picture passes this.
        if all(np.array_equal(whole[y::side], rows) for y in range(1, side)) and all(
            np.array_equal(rows[:, x::side], corners) for x in range(1, side)
        ):
            return Image.fromarray(np.ascontiguousarray(corners))
    return picture
