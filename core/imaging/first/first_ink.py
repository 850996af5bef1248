"""Ink on paper: which pixels of a gray picture belong to the digit, and whether there is a digit at all."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import NoDigitError
from core.imaging.components import Box, Components, components
from core.imaging.first.first_paper import View, views

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Limits that separate digits from noise, dust, tables and frames. Handwritten digits stay well within each of them.
LEAST_CONTRAST = 0.05  # of ink against paper, where black on white has 1
LEAST_SIGNAL = 4.5  # contrast of the ink, in standard deviations of the paper around it
LEAST_SIZE = 7  # pixels: the longer side of something that can still be read
MOST_WINDING = 4.5  # length of a stroke over the longer side of its box; an 8 has about 3
MOST_STROKES = 16  # separate strokes of one digit
LEAST_SHARE = 0.25  # of the digit in all the ink found …
MOST_RIVAL = 0.35  # … unless nothing else scores more than this share of what the digit scores
THIN = 1.5  # pixels: strokes as thin as the noise of single pixels …
LEAST_THIN_SHARE = 0.9  # … count only where there is hardly any noise
SLENDER = 0.15  # stroke width over the longer side of digits; wider shapes are more likely sheets or shadows
EDGE_ODDS = 0.3  # that a shape cut off by the edge of the picture is the digit, relative to one that is not

INK_SHARE = 0.35  # a pixel counts as ink from this share of the way between paper and ink: strokes fade at their sides


@dataclass(frozen=True)
class Ink:
    """The digit that was found in a gray picture of shape (H, W).

    Attributes:
        contrast: Ink against paper, float32 (H, W); 0 is bare paper.
        threshold: Contrast from which a pixel counts as ink.
        mask: The pixels of the digit, (H, W).
        box: Its bounding box: left, top, right, bottom; right and bottom are exclusive.
        thickness: Mean width of its strokes, in pixels.
        score: How much it looks like a digit; comparable only within one picture.
    """

    contrast: Floats
    threshold: float
    mask: Mask
    box: Box
    thickness: float
    score: float

    @property
    def size(self) -> int:
        """The longer side of the bounding box, in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def find_ink(gray: Gray, *, opened: int = 2) -> Ink:
    """Find the digit in a gray picture, uint8 (H, W): dark ink on light paper, or the reverse.

    If that is a rectangle with something in it (a drawn frame, a page on a desktop), the search continues inside, at
    most `opened` times.

    Raises:
        NoDigitError: Nothing is drawn, or only noise.
    """
    readings = [reading for view in views(gray) for reading in _read(view)]
    digits = [reading for reading in readings if isinstance(reading, Ink)]
    if not digits:
        found = "; ".join(dict.fromkeys(str(reading) for reading in readings))
        raise NoDigitError(
            f"no digit found: gray levels {gray.min()} to {gray.max()}, {found}; "
            "write one digit, dark on light or light on dark, and let it fill more of the picture"
        )
    best = max(digits, key=lambda ink: ink.score)
    return (opened and _framed(gray, best, opened - 1)) or best


def _framed(gray: Gray, ink: Ink, opened: int) -> Ink | None:
    """The digit inside `ink`, if that is a rectangle with something in it."""
    left, top, right, bottom = ink.box
    drawn = ink.mask[top:bottom, left:right]
    border = math.ceil(min(ink.thickness, 3 + 0.03 * ink.size))
    margin = border + 2
    sides = (drawn[:border], drawn[-border:], drawn[:, :border].T, drawn[:, -border:].T)
    if min(drawn.shape) <= 4 * margin or min(side.any(axis=0).mean() for side in sides) < 0.85:
        return None
    left, top, right, bottom = left + margin, top + margin, right - margin, bottom - margin
    try:
        inner = find_ink(gray[top:bottom, left:right], opened=opened)
    except NoDigitError:
        return None
    outside = ((top, gray.shape[0] - bottom), (left, gray.shape[1] - right))
    return replace(
        inner,
        contrast=np.pad(inner.contrast, outside),
        mask=np.pad(inner.mask, outside),
        box=(inner.box[0] + left, inner.box[1] + top, inner.box[2] + left, inner.box[3] + top),
    )


def _read(view: View, *, again: bool = True) -> list[Ink | str]:
    """The digits that one view may hold, or the reasons why it holds none."""
    threshold = _threshold(view)
    if threshold is None:
        return ["no contrast"]
    parts = components(view.contrast > threshold, view.contrast * view.weight)
    readings = [_digit(view, threshold, parts)]
    edge = parts.at_edge
    if again and parts.mass[edge].sum() > 0.2 * parts.mass.sum():
        # What reaches in from outside (a table, a finger, the next line) may hide the digit, so also look without it.
        cleared = np.where(parts.paint(edge), np.float32(0), view.contrast)
        readings += _read(replace(view, contrast=cleared), again=False)
    return readings


def _threshold(view: View) -> float | None:
    """Contrast from which a pixel counts as ink, by Ridler & Calvard's iteration (1978); None without contrast.

    Starting from the strongest ink, it finds even a line that covers a few ten-thousandths of the picture, where Otsu's
    criterion would split the noise.
    """
    strongest = float(view.contrast.max())
    if strongest < LEAST_CONTRAST:
        return None
    bins = 512
    counts = np.bincount((view.contrast.ravel() * ((bins - 1) / strongest)).astype(np.intp), minlength=bins)
    level = (np.arange(bins) + 0.5) * (strongest / bins)  # (512,)
    pixels, sums = np.cumsum(counts), np.cumsum(counts * level)
    total = pixels[-1]

    paper = 0.0 if view.flat else float(level[np.searchsorted(pixels, total / 2)])
    ink = float(level[np.searchsorted(pixels, total * 0.9998)])
    split = 0
    for _ in range(20):
        before, split = split, max(1, int(np.searchsorted(level, (paper + ink) / 2)))
        if split == before or pixels[split - 1] == total:
            break
        ink = float((sums[-1] - sums[split - 1]) / (total - pixels[split - 1]))
    return paper + INK_SHARE * (ink - paper)


def _digit(view: View, threshold: float, parts: Components) -> Ink | str:
    """The digit among the components: the longest, strongest stroke and what belongs to it. Or why there is none."""
    lengths = parts.area / parts.thickness
    legible = (parts.size >= LEAST_SIZE) & (lengths <= MOST_WINDING * parts.size)
    if not legible.any():
        return "only specks and texture"
    # mass / thickness = mean contrast × length: a stroke scores higher than a blob of shadow of the same darkness.
    slender = np.minimum(1, SLENDER * parts.size / parts.thickness) ** 2
    score = parts.mass / parts.thickness * slender * np.where(parts.at_edge, EDGE_ODDS, 1) * legible
    main = int(score.argmax())
    chosen = _together(parts, main)
    thickness = float(parts.area[chosen].sum() / lengths[chosen].sum())
    share = parts.mass[chosen].sum() / parts.mass.sum()
    crowded = share < LEAST_SHARE and (score * ~chosen).max() > MOST_RIVAL * score[main]
    noisy = share < LEAST_THIN_SHARE and thickness < THIN
    if crowded or noisy or chosen.sum() > MOST_STROKES:
        return f"{len(parts.area):,} specks of about the same strength"
    mask, box = parts.paint(chosen), parts.box(chosen)
    contrast, unevenness = _strength(view.contrast, threshold, mask, box)
    if contrast < max(LEAST_CONTRAST, LEAST_SIGNAL * unevenness):
        return f"contrast {contrast:.2f} on a background that varies by {unevenness:.2f}"
    return Ink(
        contrast=view.contrast,
        threshold=threshold,
        mask=mask,
        box=box,
        thickness=thickness,
        score=float(score[main]) * view.prior,
    )


def _strength(contrast: Floats, threshold: float, mask: Mask, box: Box) -> tuple[float, float]:
    """Contrast of the digit, and how much the paper around it varies, as one standard deviation."""
    left, top, right, bottom = box
    margin = max(right - left, bottom - top) // 4
    near = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    ink, paper = contrast[near][mask[near]], contrast[near][contrast[near] <= threshold]
    middle, most = np.percentile(paper, [50, 90]) if paper.size else (0.0, 0.0)
    # 90 % of a normal distribution lie below 1.28 standard deviations; the closing also lies above uneven paper itself.
    return float(ink.mean() - middle), float(max((most - middle) / 1.28, middle / 2))


def _together(parts: Components, main: int) -> Mask:
    """The components of one digit with `main`, (C,): strokes near it, about as strong, not cut off by the edge."""
    chosen: Mask = np.arange(len(parts.area)) == main
    strength = parts.mass / parts.area
    stroke = (
        (parts.size >= max(0.1 * parts.size[main], 1.5 * parts.thickness[main]))
        & (strength >= 0.4 * strength[main])
        & ~parts.at_edge
    )
    while True:
        left, top, right, bottom = parts.box(chosen)
        size = max(right - left, bottom - top)
        aside = np.maximum(0, np.maximum(left - parts.right, parts.left - right))
        apart = np.maximum(0, np.maximum(top - parts.bottom, parts.top - bottom))
        near = (np.hypot(aside, apart) <= 0.25 * size) & (parts.size <= 1.5 * size)
        grown: Mask = chosen | (stroke & near)
        if np.array_equal(grown, chosen):
            return chosen
        chosen = grown
