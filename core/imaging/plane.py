"""A sheet so evenly lit that a smooth surface describes its paper, as in a picture that is cropped to a digit."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

SAMPLES = 2_500  # pixels are enough to find six coefficients
LEAST_INK, MOST_INK = 0.05, 0.7  # share of the pixels
MOST_AT_EDGE = 0.9  # share of the ink in the edge of the picture
NEARLY = 0.75  # of the width or the height: a little less than what `candidates` wants of a digit that fills a picture
ROUNDS = 4  # of telling paper from ink, given the light, and the light, given the paper
LEAST_SQUARE = 1e-6 * np.eye(6)  # keeps the fit defined where all paper lies on one line
LEAST_STEP = 30  # gray levels between ink and paper
MOST_RESIDUE = 0.12  # of the step between ink and paper: 3 of 4 pixels of the paper differ by less from the surface


def even_paper(gray: Gray, counts: Ints) -> Floats | None:
    """The paper under dark ink in a gray picture (H, W), float32 (H, W); None if it is not even, or holds little ink.

    A quadratic surface is fitted to what is lighter than Otsu's threshold (1979), which separates ink from paper if
    both abound; and again to what is lighter than the middle between that surface and the ink.

    Args:
        gray: The picture, (H, W).
        counts: Its histogram, (256,).
    """
    threshold = _otsu(counts.astype(np.float64))
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    if counts[: threshold + 1].sum() < LEAST_INK * gray.size or (edge <= threshold).mean() > MOST_AT_EDGE:
        return None
    step = max(1, round((gray.size / SAMPLES) ** 0.5))
    levels = gray[::step, ::step].astype(np.float64)
    system = _terms(gray.shape, step)
    paper = levels > threshold
    for _ in range(ROUNDS):
        if not (1 - MOST_INK <= paper.mean() <= 1 - LEAST_INK and _spans(~paper)):
            return None
        seen = system[paper.ravel()]
        surface = np.linalg.solve(seen.T @ seen + LEAST_SQUARE, seen.T @ levels[paper])
        surface = surface.round(2)  # so that BLAS libraries that round differently give the same digit
        darker = (system @ surface).reshape(levels.shape) - levels
        contrast = float(darker[~paper].mean())
        fitted, paper = paper, darker < contrast / 2
    if contrast < LEAST_STEP or np.percentile(np.abs(darker[fitted]), 75) > MOST_RESIDUE * contrast:
        return None
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in gray.shape)
    a, b, c, d, e, f = surface.astype(np.float32)
    even: Floats = (a + b * y + d * y**2)[:, None] + (c + e * y)[:, None] * x + f * x**2
    return even


@lru_cache(maxsize=4)
def _terms(shape: tuple[int, int], step: int) -> NDArray[np.float64]:
    """The six terms of a quadratic surface over a picture of this shape, at every `step`-th pixel each way: (N, 6)."""
    down, across = (np.linspace(-1, 1, side)[::step] for side in shape)
    rows, columns = (place.ravel() for place in np.meshgrid(down, across, indexing="ij"))
    return np.stack([np.ones(rows.size), rows, columns, rows**2, rows * columns, columns**2], axis=1)


def _spans(ink: Mask) -> bool:
    """Whether ink reaches nearly across a picture, (H, W), as that of a digit that fills it does."""
    reach = (np.ptp(np.flatnonzero(ink.any(axis=side))) + 1 for side in (0, 1))
    return any(length >= NEARLY * side for length, side in zip(reach, ink.shape[::-1], strict=True))


def _otsu(counts: NDArray[np.float64]) -> int:
    """The gray level that parts a histogram, (256,), into dark and light with the greatest variance between them."""
    level = np.arange(256)
    dark, sums = np.cumsum(counts), np.cumsum(counts * level)
    light = dark[-1] - dark
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (sums * dark[-1] - sums[-1] * dark) ** 2 / (dark * light)
    return int(np.nan_to_num(between, posinf=0).argmax())
