"""Black and white dots that stand for gray: dithered pictures, and the gray that they were made from."""

import numpy as np
from PIL import Image, ImageFilter

NEARLY = 32  # gray levels from black or white
LEAST_EXTREME = 0.9  # share of the pixels that are nearly black or white …
LEAST_ALONE = 0.01  # … and of dots: those that differ from their four neighbors
SMALLEST = 64  # pixels: in smaller pictures, dots are strokes
DOTS = 2.0  # pixels: a Gaussian of this deviation averages a few dozen dots


def undithered(picture: Image.Image) -> Image.Image:
    """A picture of mode "L" with dots averaged to gray; or the picture as it is, if it is not dithered."""
    if picture.mode != "L" or min(picture.size) < SMALLEST:
        return picture
    counts = picture.histogram()
    pixels = sum(counts)
    if sum(counts[:NEARLY]) + sum(counts[-NEARLY:]) < LEAST_EXTREME * pixels:
        return picture
    white = np.asarray(picture) > 127
    across, down = white[:, 1:] != white[:, :-1], white[1:] != white[:-1]
    alone = np.count_nonzero((across[:, 1:] & across[:, :-1])[1:-1] & (down[1:] & down[:-1])[:, 1:-1])
    return picture.filter(ImageFilter.GaussianBlur(DOTS)) if alone >= LEAST_ALONE * pixels else picture
