"""A sheet of paper with a digit on it, as a camera or a scanner sees it: what the kinds of `papers` are made of."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Gray = NDArray[np.uint8]
Doubles = NDArray[np.float64]

SIDE = 400  # pixels, of the pictures that are not 28×28


def written(image: Gray, rng: np.random.Generator, *, size: float = 0.45, pen: float = 0.5) -> Doubles:
    """How much of each pixel the ink of a digit of MNIST covers that is written large: 0 … 1, (SIDE, SIDE).

    Args:
        image: The digit, (28, 28), light on black.
        rng: Where on the sheet it stands.
        size: Its longer side, as a share of the sheet's.
        pen: The gray level of the outline, from 0 to 1: a larger one makes thinner strokes.
    """
    rows, columns = np.nonzero(image > 64)
    tight = Image.fromarray(np.pad(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], 2))
    scale = size * SIDE / (max(tight.size) - 4)
    large = tight.resize((round(tight.width * scale), round(tight.height * scale)), Image.Resampling.BICUBIC)
    smooth = np.asarray(large.filter(ImageFilter.GaussianBlur(scale / 2))).astype(float) / 255
    ink = np.clip((smooth - pen) * 6 + 0.5, 0, 1)
    cover = np.zeros((SIDE, SIDE))
    room = SIDE - np.array(ink.shape)
    top, left = (round(float(space / 2 + rng.uniform(-0.15, 0.15) * space)) for space in room)
    cover[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return cover


def blank() -> Doubles:
    """Paper of one brightness, (SIDE, SIDE)."""
    return np.full((SIDE, SIDE), 225.0)


def lines(
    rng: np.random.Generator,
    *,
    across: bool = True,
    spacing: float,
    width: float,
    strength: float,
    tilt: float = 0.0,
    fan: float = 0.0,
) -> Doubles:
    """Ruled lines as shares of the light that they take away, (SIDE, SIDE).

    Args:
        rng: Where the first line lies.
        across: Whether they run from left to right, or from top to bottom.
        spacing: From one line to the next, in pixels.
        width: In pixels.
        strength: From 0 to 1.
        tilt: Rise over the length of a line, in lengths.
        fan: Change of the spacing from one side to the other, as in perspective.
    """
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    along = columns / SIDE - 0.5
    place = (rows - SIDE / 2) * (1 + fan * along) + tilt * SIDE * along + rng.uniform(0, spacing)
    distance = np.abs((place + spacing / 2) % spacing - spacing / 2)
    drawn = strength * np.clip(width / 2 + 0.5 - distance, 0, 1)
    share: Doubles = drawn if across else drawn.T
    return share


def tight(cover: Doubles, *, cut: int) -> Doubles:
    """The cover inside the digit's bounding box, less `cut` pixels on every side."""
    rows, columns = np.nonzero(cover > 0.5)
    inside: Doubles = cover[rows.min() + cut : rows.max() + 1 - cut, columns.min() + cut : columns.max() + 1 - cut]
    return inside


def photographed(paper: Doubles, cover: Doubles, rng: np.random.Generator, *, ink: float = 0.6) -> Gray:
    """Paper of the given brightness (H, W) under uneven light, with ink, out of focus a little, with noise, as JPEG."""
    rows, columns = np.mgrid[-1 : 1 : paper.shape[0] * 1j, -1 : 1 : paper.shape[1] * 1j]
    slope = rng.uniform(-0.15, 0.15, 2)
    page = paper * (0.85 + slope[0] * rows + slope[1] * columns) * (1 - ink * cover)
    blurred = Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2))
    )
    noisy = np.asarray(blurred) + rng.normal(0, rng.uniform(1, 3), paper.shape)
    return compressed(np.clip(noisy, 0, 255).astype(np.uint8), rng)


def compressed(picture: Gray, rng: np.random.Generator) -> Gray:
    """A picture that was saved as JPEG, of any usual quality, and read again."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(rng.integers(60, 95)))
    return np.asarray(Image.open(file).convert("L"))


def scanned(paper: Doubles, cover: Doubles, *, ink: float = 0.8) -> Gray:
    """Paper of the given brightness (H, W) with ink, evenly lit."""
    return np.clip(paper * (1 - ink * cover), 0, 255).astype(np.uint8)
