"""A sheet so evenly lit that a plane describes its paper: a picture that is cropped to a digit shows little else."""

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

SAMPLES = 4_000  # pixels are enough to find three coefficients
LEAST_INK, MOST_INK = 0.05, 0.7  # share of the pixels
LEAST_AT_EDGE, MOST_AT_EDGE = 0.02, 0.9  # share of the ink in the edge of the picture
LEAST_STEP = 30  # gray levels between ink and paper
MOST_RESIDUE = 0.12  # of the step between ink and paper: 9 of 10 pixels of the paper differ by less from the plane


def even_paper(gray: Gray, counts: Ints) -> Floats | None:
    """The paper under dark ink that reaches the edge of a gray picture (H, W), float32 (H, W); None if it is not even.

    A plane is fitted to what is lighter than Otsu's threshold (1979), which separates ink from paper if both abound.

    Args:
        gray: The picture, (H, W).
        counts: Its histogram, (256,).
    """
    threshold = _otsu(counts.astype(np.float64))
    share = counts[: threshold + 1].sum() / counts.sum()
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    if not (LEAST_INK <= share <= MOST_INK and LEAST_AT_EDGE <= float((edge <= threshold).mean()) <= MOST_AT_EDGE):
        return None
    step = max(1, round((gray.size / SAMPLES) ** 0.5))
    rows, columns = np.mgrid[0 : gray.shape[0] : step, 0 : gray.shape[1] : step]
    levels = gray[::step, ::step].astype(np.float64)
    paper = levels > threshold
    if np.count_nonzero(paper) < 3:
        return None
    system = np.stack([np.ones(rows.size), rows.ravel(), columns.ravel()], axis=1)
    plane, *_ = np.linalg.lstsq(system[paper.ravel()], levels[paper], rcond=None)
    fitted = (system @ plane).reshape(levels.shape)
    contrast = float((fitted - levels)[~paper].mean()) if not paper.all() else 0.0
    residue = float(np.percentile(np.abs(fitted - levels)[paper], 90))
    if contrast < LEAST_STEP or residue > MOST_RESIDUE * contrast:
        return None
    height, width = gray.shape
    whole = plane[0] + plane[1] * np.arange(height)[:, None] + plane[2] * np.arange(width)
    even: Floats = whole.astype(np.float32)
    return even


def _otsu(counts: NDArray[np.float64]) -> int:
    """The gray level that parts a histogram, (256,), into dark and light with the greatest variance between them."""
    level = np.arange(256)
    dark, sums = np.cumsum(counts), np.cumsum(counts * level)
    light = dark[-1] - dark
    with np.errstate(invalid="ignore", divide="ignore"):
        between = (sums * dark[-1] - sums[-1] * dark) ** 2 / (dark * light)
    return int(np.nan_to_num(between, posinf=0).argmax())
