"""Long straight lines that cross the picture: ruled or squared paper, a margin, a form, a fold. Found and taken away.

A line is searched in strips, each a few percent of the picture's width: the mean along a strip hardly knows noise, and
even a tilted line hardly rises within one. A line has a ridge in most strips, at places that a straight line joins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.morphology import slide

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]

STRIPS = 24
SMALLEST = 64  # pixels: the shorter side of a picture in which lines are searched
WIDEST = 0.02  # of the picture's longer side, plus 2 pixels: half of the widest line
STEEPEST = 0.14  # rise of a line over its length
LEAST_RIDGE = 0.015  # contrast of a line, as a mean over a strip …
LEAST_SIGNAL = 7.0  # … and relative to the ridges of bare paper
LEAST_SUPPORT = 0.7  # of the strips through which a line runs
FAMILY = 3  # parallel lines are no strokes of a digit
UNEVEN = 0.4  # of the strength of a line: most of it varies by less
FAINT = 0.3  # of the strength of a line: what differs less from it is not ink
INKED = 1.3  # where ink lies on a line, it is darker than the line alone by at least this factor


@dataclass(frozen=True)
class Lines:
    """Lines that were taken away from a picture, K of them, of which the strongest family runs in one direction.

    Attributes:
        contrast: What remains, float32 (H, W).
        strength: Contrast of the lines, in the middle of them, (K,).
        width: Their width, in pixels, (K,).
        family: How many of them run in the same direction: the larger number.
    """

    contrast: Floats
    strength: Floats
    width: Floats
    family: int


def without_lines(contrast: Floats) -> Lines | None:
    """Take the lines out of the contrast of ink against paper, (H, W); None if there are none."""
    if min(contrast.shape) < SMALLEST:
        return None
    rest, crossing, family = contrast.copy(), [], 0
    for across in (True, False):
        seen, cleared = (contrast, rest) if across else (contrast.T, rest.T)
        lines = [line for place in _lines(_strips(contrast, across), seen.shape) if (line := _line(seen, place))]
        family = max(family, len(lines))
        crossing += [(line, seen, cleared) for line in lines]
    for line, _, cleared in crossing:
        line.clear(cleared)
    # Only now: what runs on beyond a line is ink, if no other line does.
    bridges = [line.bridge(seen, cleared) for line, seen, cleared in crossing]
    for (line, _, cleared), bridge in zip(crossing, bridges, strict=True):
        line.restore(cleared, bridge)
    if not crossing:
        return None
    strength, width = (np.array([getattr(line, name) for line, _, _ in crossing]) for name in ("strength", "width"))
    return Lines(rest, strength, width, family)


def _half(shape: tuple[int, ...]) -> int:
    """Half of the widest line, in pixels."""
    return 2 + round(WIDEST * max(shape))


def _strips(contrast: Floats, across: bool) -> Floats:
    """Means over strips of each row, (H, STRIPS), or of each column, (W, STRIPS), of a picture (H, W)."""
    height, width = contrast.shape
    span = (width if across else height) // STRIPS
    # float64 holds the sum of so few float32 exactly, in whatever order this processor's kernels add them.
    strips: NDArray[np.float64]
    if across:
        strips = contrast[:, : span * STRIPS].reshape(height, STRIPS, span).mean(axis=2, dtype=np.float64)
    else:
        strips = contrast[: span * STRIPS].reshape(STRIPS, span, width).mean(axis=1, dtype=np.float64).T
    return strips.astype(np.float32)


def _lines(strips: Floats, shape: tuple[int, ...]) -> list[Floats]:
    """The row of each line in each column, (W,), for lines that run from left to right in a picture of that shape."""
    height, width = shape
    window = 2 * _half(shape) + 1
    span = width // STRIPS
    opened = slide(
        np.maximum, slide(np.minimum, np.pad(strips, ((window - 1,) * 2, (0, 0)), mode="edge"), window), window
    )
    ridge = strips - opened
    paper = float(np.percentile(ridge, 30))  # most of squared paper may be lines
    support = ridge > max(LEAST_RIDGE, paper * LEAST_SIGNAL)
    support[1:-1] |= support[2:] & (ridge[2:] >= 0) | support[:-2]
    rise = int(STEEPEST * width)
    if not _may_hold_one(support, rise):
        return []
    # (D, STRIPS): how far below its middle a line of each slope lies in each strip
    slopes = np.arange(-rise, rise + 1, 2) / (span * STRIPS)
    middle = (np.arange(STRIPS) + 0.5) * span - span * STRIPS / 2
    below = np.rint(slopes[:, None] * middle).astype(np.intp)
    pad = rise // 2 + 2
    score = np.pad((support + np.minimum(ridge, 0.2) * 0.5).astype(np.float32), ((pad, pad), (0, 0)))
    votes = np.zeros((len(slopes), height), np.float32)
    for strip in range(STRIPS):
        column = np.ascontiguousarray(score[:, strip])
        windows = np.lib.stride_tricks.sliding_window_view(column, height)
        votes += windows[below[:, strip] + pad]
    found, whole = [], []
    columns = np.arange(width)
    enough = LEAST_SUPPORT * STRIPS
    best = votes.max(axis=0)
    while best.max() >= enough:
        row = int(best.argmax())
        slope = int(votes[:, row].argmax())
        rows = row + below[slope]
        found.append(_refined(strips, rows, span, columns))
        whole.append(_reaches_both_edges(ridge, rows))
        best[_extent(support, rows, row, window // 2)] = 0
    return [line for line, reaches in zip(found, whole, strict=True) if reaches or len(found) >= FAMILY]


def _extent(support: Mask, rows: Ints, row: int, reach: int) -> slice:
    """The rows at which the same line would be found again, given its row in each strip, and in the middle."""
    beside = np.clip(rows + np.arange(-reach, reach + 1)[:, None], 0, len(support) - 1)
    bare = support[beside, np.arange(STRIPS)].mean(axis=1) < 0.5
    above = int(np.argmax(np.append(bare[reach::-1], True)))
    below = int(np.argmax(np.append(bare[reach:], True)))
    return slice(max(0, row - above - 1), row + below + 2)


def _reaches_both_edges(ridge: Floats, rows: Ints) -> bool:
    """Whether a line, given its row in each strip, runs from edge to edge: strokes of digits seldom do."""
    inside = np.flatnonzero((rows >= 0) & (rows < len(ridge)))
    near = np.clip(rows[inside] + np.arange(-2, 3)[:, None], 0, len(ridge) - 1)  # (5, strips)
    along = ridge[near, inside].max(axis=0)
    return bool(min(along[0], along[-1]) >= 0.5 * np.median(along))


def _may_hold_one(support: Mask, rise: int) -> bool:
    """Whether enough strips have a ridge within any block of rows as high as the rise of the steepest line."""
    block = rise + 4
    height = len(support)
    for start in (0, block // 2):
        starts = np.arange(start, height, block)
        if len(starts) and np.logical_or.reduceat(support, starts, axis=0).sum(axis=1).max() >= LEAST_SUPPORT * STRIPS:
            return True
    return False


def _refined(strips: Floats, rows: Ints, span: int, columns: Ints) -> Floats:
    """The row of a line in each column, (W,), given its row in each strip to about two pixels."""
    near = np.clip(rows + np.arange(-3, 4)[:, None], 0, len(strips) - 1)  # (7, STRIPS)
    values = strips[near, np.arange(STRIPS)]
    place = near[values.argmax(axis=0), np.arange(STRIPS)].astype(np.float64)
    middle = (np.arange(STRIPS) + 0.5) * span
    inside = (rows >= 0) & (rows < len(strips))
    straight = np.polyfit(middle[inside], place[inside], 1)
    off = np.abs(np.polyval(straight, middle) - place)
    good = inside & (off <= 1.5)
    if good.sum() >= STRIPS // 2:
        straight = np.polyfit(middle[good], place[good], 2)
    fitted: Floats = np.polyval(straight, columns).astype(np.float32)
    return fitted


@dataclass(frozen=True, eq=False)
class _Line:
    """A line from left to right, as wide as a band of B rows that follows it.

    Attributes:
        rows: Its rows in each column, (B, W).
        above, under: The two rows on either side of the band, (2, W).
        inside: Which of its rows lie in the picture, (B, W).
        ink: The contrast from which there is ink on the line, (B, 1).
        strength: Contrast in its middle.
        width: In pixels.
    """

    rows: Ints
    above: Ints
    under: Ints
    inside: Mask
    ink: Floats
    strength: float
    width: float

    def clear(self, contrast: Floats) -> None:
        """Take the line away, in place, but for ink that is darker than the line alone."""
        band = contrast[self.rows, self._columns]
        self.restore(contrast, np.where(band > self.ink, band, 0), least=False)

    def bridge(self, contrast: Floats, cleared: Floats) -> Floats:
        """The ink that crosses the line, (B, W): on both sides of it there is some where all lines are cleared."""
        reach = 1 + len(self.rows) // 2  # a stroke at 45 degrees moves by so much from the middle to the side
        sides = (_spread(cleared[rows, self._columns].max(axis=0), reach) for rows in (self.above, self.under))
        band: Floats = np.minimum(contrast[self.rows, self._columns], np.minimum(*sides))
        return band

    def restore(self, contrast: Floats, band: Floats, *, least: bool = True) -> None:
        """Write the band, (B, W), in place; at least what is there."""
        rows, columns = self.rows[self.inside], np.broadcast_to(self._columns, self.rows.shape)[self.inside]
        values = band[self.inside]
        contrast[rows, columns] = np.maximum(contrast[rows, columns], values) if least else values

    @property
    def _columns(self) -> Ints:
        return np.arange(self.rows.shape[1])


def _line(contrast: Floats, place: Floats) -> _Line | None:
    """The line at a place, its row in each column, (W,); None if what is there is too uneven, or a row of strokes."""
    height, width = contrast.shape
    reach = _half(contrast.shape) + 3
    rows = np.rint(place).astype(np.intp) + np.arange(-reach, reach + 1)[:, None]  # (2·reach + 1, W)
    clipped = np.clip(rows, 0, height - 1)
    around = contrast[clipped, np.arange(width)]
    profile = np.median(around, axis=1)
    strength = float(profile[reach - 1 : reach + 2].max())
    level = profile.min()
    wide = profile - level > 0.12 * (strength - level)
    up = reach - int(np.argmin(wide[reach::-1]))  # first row above the line
    down = reach + int(np.argmin(wide[reach:]))
    up, down = max(up - 1, 0), min(down + 1, 2 * reach)  # one more on either side: rows are whole
    band = slice(up + 1, down)
    usual = profile[band, None]
    spread = 1.5 * np.median(np.abs(around[band] - usual))
    gaps = np.mean(around[reach - 1 : reach + 2].max(axis=0) < strength / 2)
    if down - up < 4 or spread > UNEVEN * strength or gaps > 1 - LEAST_SUPPORT:
        return None
    return _Line(
        rows=clipped[band],
        above=clipped[max(0, up - 1) : up + 1],
        under=clipped[down : down + 2],
        inside=(rows >= 0)[band] & (rows < height)[band],
        ink=INKED * usual + max(3 * spread, FAINT * strength),
        strength=strength,
        width=float(wide[band].sum()),
    )


def _spread(values: Floats, reach: int) -> Floats:
    """The largest value within `reach` columns, (W,)."""
    return slide(np.maximum, np.pad(values, reach, mode="edge"), 2 * reach + 1)
