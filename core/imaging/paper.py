"""The paper: the picture as it would be without ink, and the contrast of the ink against it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.imaging.morphology import closing
from core.imaging.plane import even_paper

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

FLAT = 12  # gray levels: the edge of a canvas in a drawing program varies by less, even with JPEG noise; or
LEVEL = (
    3  # half of it, and half of the picture, does not vary by more than this from a single level: if ink cuts the edge
)
HALF = 0.5
DRAWN = 0.3  # of the pixels have exactly that level: photographs are noisier
DARKEST_PAPER = 64  # gray level; below, dividing by the paper would only amplify noise
LEAST_WINDOW = 21  # pixels: in small pictures, strokes are wide and shadows are rare
BLURRED = 400  # pixels: the shorter side of a picture that has strokes to spare for smoothing
BRIGHT = 100  # gray level: a picture brighter than this is more likely paper than blackboard …
PAPER_PRIOR = 1.5  # … by this factor


@dataclass(frozen=True)
class View:
    """One interpretation of a gray picture (H, W): dark ink on lighter paper, or light ink on darker paper.

    Attributes:
        contrast: How much the ink differs from the paper, as a share of the paper, float32 (H, W), from 0.
        weight: Turns contrast into a share of the whole gray scale, which is comparable across views; (H, W) or ().
        prior: How much more likely this view is than the other before a digit is searched in either.
        flat: Whether the paper has a single gray level, as in a drawing program.
        cropped: Whether it only holds a digit that fills the picture, from edge to edge.
        decisive: Whether no further view is needed once this one and those before it hold a digit for certain.
    """

    contrast: Floats
    weight: Floats
    prior: float
    flat: bool
    cropped: bool = False
    decisive: bool = False


def views(gray: Gray) -> Iterator[View]:
    """The views of a gray picture, uint8 (H, W), likeliest first; each is only made when it is asked for."""
    counts = np.bincount(gray.ravel(), minlength=256)
    prior = PAPER_PRIOR if counts @ np.arange(256) > BRIGHT * gray.size else 1.0
    sheets = ((gray, counts, prior), (255 - gray, counts[::-1], 1.0))
    for seen, levels, odds in sheets:
        even = even_paper(seen, levels)
        if even is not None:
            yield replace(_view(even, seen, np.float32(1), odds), cropped=True, decisive=False)
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    if _is_flat(counts, edge):
        lighter = (gray.astype(np.float32) - np.float32(np.median(edge))) / 255
        for darker, odds in ((-lighter, prior), (lighter, 1.0)):
            yield View(np.maximum(darker, 0), np.ones((), np.float32), odds, flat=True, decisive=odds > 1)
    else:
        smooth = _smoothed(gray)
        window = min(max(min(gray.shape) // 5, LEAST_WINDOW), min(gray.shape))
        yield _closed(smooth, window, dark=True, prior=prior)
        yield _closed(smooth, window, dark=False, prior=1.0)


def near_view(gray: Gray, window: int, *, dark: bool) -> View:
    """A gray picture, (H, W), seen as dark or as light ink on paper that is whatever is wider than `window` pixels."""
    return _closed(_smoothed(gray), window, dark=dark, prior=1.0)


def _closed(smooth: Gray, window: int, *, dark: bool, prior: float) -> View:
    """The view of strokes that are narrower than `window` pixels on paper that is wider, (H, W)."""
    if dark:
        return _view(closing(smooth, window).astype(np.float32), smooth, np.float32(1), prior)
    return _view(255 - closing(255 - smooth, window).astype(np.float32), smooth, np.float32(-1), prior)


def _view(paper: Floats, gray: Gray, darker: np.float32, prior: float) -> View:
    """The view of ink on paper, (H, W), that is not flat; ink is darker than the paper by `darker`, 1 or -1."""
    light: Floats = np.maximum(paper, DARKEST_PAPER)
    # Ink reflects a share of the light that falls on the paper, so shadows cancel in the quotient.
    contrast: Floats = np.maximum((paper - gray) * darker, 0) / light
    return View(contrast, light / np.float32(255), prior, flat=False, decisive=prior > 1)


def _is_flat(counts: Ints, edge: Gray) -> bool:
    """Whether the paper has a single level, given the histogram of the picture, (256,), and the gray of its edge."""
    low, level, high = np.percentile(edge, [4, 50, 96])
    near = slice(max(0, int(level) - LEVEL), int(level) + LEVEL + 1)
    drawn = counts[int(level)] >= DRAWN * counts.sum()
    half = drawn and counts[near].sum() >= HALF * counts.sum() and np.mean(np.abs(edge - level) <= LEVEL) >= HALF
    return bool(high - low <= FLAT or half)


def _smoothed(gray: Gray) -> Gray:
    """Each pixel averaged with its neighbors, (H, W), of which it takes the smaller a share the smaller the picture."""
    share = np.float32(min(1.0, min(gray.shape) / BLURRED))
    padded = np.pad(gray, 1, mode="edge").astype(np.float32)
    rows = padded[:-2] + padded[2:]
    rows *= share
    rows += padded[1:-1]
    mean = rows[:, :-2] + rows[:, 2:]
    mean *= share
    mean += rows[:, 1:-1]
    mean *= 1 / (1 + 2 * share) ** 2
    mean += np.float32(0.5)
    return mean.astype(np.uint8)
