"""Plain statistics of images: how much ink, how wide the strokes, how many are empty, full or repeated."""

import numpy as np

from core.artifact.trusted import Inked
from core.data.labeled import Labeled
from core.digit import LABELS
from core.imaging.strokes import mean_thickness

_FAINTEST = 32
"""An image without a brighter pixel is blank."""

_INK = 128
"""A pixel of at least this is ink; an image of which the mean is at least this is full."""

_MEASURED = 5000
"""Images whose strokes are measured, evenly spaced: enough for a mean to within a hundredth of a pixel."""


def ink_of(images: Labeled) -> Inked:
    """The statistics of at least one image. 60,000 take a third of a second.

    Args:
        images: Labels are those of digits.
    """
    pixels = images.images.reshape(len(images), -1)
    means = pixels.mean(axis=1)
    return Inked(
        count=len(images),
        per_digit=tuple(np.bincount(images.labels, minlength=len(LABELS)).tolist()),
        mean=float(means.mean()),
        blank=float((pixels.max(axis=1) < _FAINTEST).mean()),
        full=float((means >= _INK).mean()),
        stroke=_stroke(images),
        repeated=1 - len({image.tobytes() for image in pixels}) / len(images),
    )


def _stroke(images: Labeled) -> float:
    """The mean width of strokes in pixels; 0 without any."""
    shown = images.images[:: -(-len(images) // _MEASURED)]
    ink = np.pad(shown >= _INK, ((0, 0), (1, 1), (1, 1)))
    area = ink.sum(axis=(1, 2), dtype=np.float64)
    across, down = (np.diff(ink, axis=axis).sum(axis=(1, 2), dtype=np.float64) for axis in (2, 1))
    drawn = area > 0
    return float(mean_thickness(area[drawn], (across + down)[drawn]).mean()) if drawn.any() else 0.0
