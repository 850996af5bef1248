"""What may be the digit in one view of a gray picture, or why nothing in it may be one."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.imaging.components import Box, Components, components
from core.imaging.paper import View
from core.imaging.ruling import FAMILY, Lines, without_lines

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
CERTAIN_SHARE = 0.7  # of the digit in all the ink found …
CERTAIN_CONTRAST = 0.25  # … and its contrast, in slender strokes: nothing else can be meant
SLENDER = 0.2  # stroke width over the longer side of digits; wider shapes are more likely sheets or shadows
BROAD = 0.25  # the same, in a picture that is cropped to the digit
MOST_CONTACT = 0.35  # of its outline lies on the edge of the picture, if a digit is cropped tightly …
FILLED = 0.8  # … and fills its height or width
SHEET_SHARE = 0.75  # of the box of something that is no digit is solid …
SHEET_WIDTH = 0.4  # … and it is at least as wide, relative to its longer side
UNEVEN_INK = 0.4  # of its contrast: half of the ink of a digit that is cropped tightly varies by less
EDGE_ODDS = 0.3  # that a shape cut off by an edge, or by a corner, is the digit, relative to one that is not

SAMPLES = 4_000  # pixels of the paper are enough to say how much it varies
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
        certain: Whether it looks so much like one that no other view of the picture is needed.
        parts: All that is darker than the threshold, the digit among it; None where the digit lies within another one.
    """

    contrast: Floats
    threshold: float
    mask: Mask
    box: Box
    thickness: float
    score: float
    certain: bool = False
    parts: Components | None = None

    @property
    def size(self) -> int:
        """The longer side of the bounding box, in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def candidates(view: View) -> list[Ink | str]:
    """The digits that one view may hold, or the reasons why it holds none."""
    lines = without_lines(view.contrast)
    if view.cropped:
        return [_cropped(view, lines)]
    if lines:
        between = [_unless_a_rest(reading, lines) for reading in _between(replace(view, contrast=lines.contrast))]
        digits = [reading for reading in between if isinstance(reading, Ink)]
        if lines.family >= FAMILY or (digits and _are_paper(lines, max(digits, key=lambda ink: ink.score))):
            return between
    return _between(view)


def _unless_a_rest(reading: Ink | str, lines: Lines) -> Ink | str:
    """The digit, unless it is one more of the lines, which leaves the picture at a corner, or what was left of one."""
    if isinstance(reading, str):
        return reading
    left, top, right, bottom = reading.box
    height, width = reading.mask.shape
    at_edge = left == 0 or top == 0 or right == width or bottom == height
    thin = reading.thickness <= 1.5 * float(lines.width.max())
    faint = float(reading.contrast[reading.mask].mean()) <= 1.3 * float(lines.strength.max())
    along = min(right - left, bottom - top) <= float(lines.width.max())  # level or upright, and no wider than a line
    return "only lines" if (at_edge or along) and thin and faint else reading


def _cropped(view: View, lines: Lines | None) -> Ink | str:
    """The digit, if it fills the picture, and does so without the lines."""
    if lines and lines.family >= FAMILY:
        return "lines that fill the picture"
    [reading] = _between(view, again=False)
    seen = [reading] if lines is None else [reading, *_between(replace(view, contrast=lines.contrast), again=False)]
    return reading if all(isinstance(each, Ink) and _fills(each) for each in seen) else "nothing that fills the picture"


def _fills(ink: Ink) -> bool:
    """Whether ink of one strength, unlike shadows, reaches across the picture."""
    left, top, right, bottom = ink.box
    height, width = ink.mask.shape
    low, middle, high = np.percentile(ink.contrast[ink.mask], [25, 50, 75])
    across = max((right - left) / width, (bottom - top) / height)
    return bool(across >= FILLED and high - low <= UNEVEN_INK * middle and not _is_sheet(ink))


def _is_sheet(ink: Ink) -> bool:
    """Whether what was found is about as solid and as wide as a sheet of paper, on a table of another brightness."""
    left, top, right, bottom = ink.box
    narrow = min(right - left, bottom - top) < SHEET_WIDTH * ink.size
    return bool(not narrow and ink.mask.sum() >= SHEET_SHARE * (right - left) * (bottom - top))


def _are_paper(lines: Lines, digit: Ink) -> bool:
    """Whether a line or two belong to the paper rather than to the digit, which is what remained without them."""
    long = max(lines.contrast.shape) >= 1.4 * digit.size
    strength = float(digit.contrast[digit.mask].mean())
    weak = (lines.strength < 0.7 * strength).all() or (lines.width < 0.6 * digit.thickness).all()
    return bool(long or weak)


def _between(view: View, *, again: bool = True) -> list[Ink | str]:
    """The digits in one view without lines, or the reasons why it holds none."""
    threshold = threshold_of(view)
    if threshold is None:
        return ["no contrast"]
    parts = components(view.contrast > threshold, view.contrast * view.weight)
    readings = [_digit(view, threshold, parts)]
    edge = parts.at_edge
    if again and parts.mass[edge].sum() > 0.2 * parts.mass.sum():
        # What reaches in from outside (a table, a finger, the next line) may hide the digit, so also look without it.
        cleared = np.where(parts.paint(edge), np.float32(0), view.contrast)
        readings += _between(replace(view, contrast=cleared), again=False)
    return readings


def threshold_of(view: View) -> float | None:
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

    paper = 0.0 if view.flat or view.cropped else float(level[np.searchsorted(pixels, total / 2)])
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
    reaching = parts.at_edge
    if view.flat or view.cropped:
        legible &= ~reaching | (parts.contact <= MOST_CONTACT)
        reaching = reaching & (parts.sides < 2)
    if not legible.any():
        return "only specks and texture"
    # mass / thickness = mean contrast × length: a stroke scores higher than a blob of shadow of the same darkness.
    slender = np.minimum(1, (BROAD if view.cropped else SLENDER) * parts.size / parts.thickness) ** 2
    inside = EDGE_ODDS ** np.where(reaching, np.maximum(1, parts.sides - 1), 0)
    score = parts.mass / parts.thickness * slender * inside * legible
    main = int(score.argmax())
    chosen = _together(parts, main)
    thickness = float(parts.area[chosen].sum() / lengths[chosen].sum())
    share = parts.mass[chosen].sum() / parts.mass.sum()
    crowded = share < LEAST_SHARE and (score * ~chosen).max() > MOST_RIVAL * score[main]
    noisy = share < LEAST_THIN_SHARE and thickness < THIN
    if crowded or noisy or chosen.sum() > MOST_STROKES:
        return f"{len(parts.area):,} specks of about the same strength"
    mask, box = parts.paint(chosen), parts.box(chosen)
    contrast, unevenness = strength(view.contrast, threshold, mask, box)
    if contrast < max(LEAST_CONTRAST, LEAST_SIGNAL * unevenness):
        return f"contrast {contrast:.2f} on a background that varies by {unevenness:.2f}"
    certain = share >= CERTAIN_SHARE and contrast >= CERTAIN_CONTRAST and slender[main] == 1 and not parts.at_edge[main]
    return Ink(
        contrast=view.contrast,
        threshold=threshold,
        mask=mask,
        box=box,
        thickness=thickness,
        score=float(score[main]) * view.prior,
        certain=bool(certain),
        parts=parts,
    )


def strength(contrast: Floats, threshold: float, mask: Mask, box: Box) -> tuple[float, float]:
    """Contrast of the digit, and how much the paper around it varies, as one standard deviation."""
    left, top, right, bottom = box
    margin = max(right - left, bottom - top) // 4
    near = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    ink, paper = contrast[near][mask[near]], contrast[near][contrast[near] <= threshold]
    some = paper[:: max(1, paper.size // SAMPLES)]
    middle, most = np.percentile(some, [50, 90]) if paper.size else (0.0, 0.0)
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
