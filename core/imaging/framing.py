"""How MNIST frames its digits: the numbers and their version, a test of whether a picture is framed so, the framing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.digit import SIDE
from core.errors import ManifestError
from core.imaging.strokes import mean_thickness

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Framing:
    """How a digit lies in its picture (LeCun et al., "Gradient-based learning applied to document recognition", III.A).

    Attributes:
        version: Which code finds the digit in a picture; see `framing_version`.
        size: Side of the square picture, in pixels.
        box: The digit's longer side, in pixels.
        centered_by: The point that lies at pixel (size/2, size/2): "mass", the center of mass of the gray levels.
        background: Gray level of the paper.
        ink: Gray level of the strongest ink.
        thinnest, thickest: Mean stroke width, in pixels, that drawn digits are given. MNIST's own widths are 1.8 (5th
            percentile), 2.6 (median) and 3.9 (95th).
    """

    version: int = 2
    size: int = SIDE
    box: int = 20
    centered_by: str = "mass"
    background: int = 0
    ink: int = 255
    thinnest: float = 2.2
    thickest: float = 2.8


FRAMING = Framing()

THINNEST, THICKEST = 1.7, 4.5  # pixels: strokes of pictures that pass unchanged; MNIST's own 3rd and 99th percentile
LATEST = FRAMING.version


def framing_version(parameters: Mapping[str, Any]) -> int:
    """The framing that a version of the model was published with, from 1 to `LATEST`.

    Args:
        parameters: `preprocessing.framing` of its manifest. Without "version", it is framing 1.

    Raises:
        ManifestError: A framing that this release does not know.
    """
    version = parameters.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= LATEST:
        raise ManifestError(
            f"preprocessing.framing.version: {version!r}, this Numeral knows framings 1 to {LATEST}; "
            "a newer Numeral is needed to read pictures for this version"
        )
    return version


def is_framed(gray: Gray) -> bool:
    """Whether a gray picture (H, W) already is a digit as MNIST has them: light on black, 28×28, centered.

    Digits that are shifted, rotated or scaled a little, as in augmented training data, count as framed if their strokes
    are about as wide as most of MNIST's. Other programs draw them one pixel wide, or with a thick brush.
    """
    if gray.shape != (FRAMING.size, FRAMING.size):
        return False
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    rows, columns = np.nonzero(gray > 64)
    if np.mean(edge > 32) > 0.1 or not rows.size or gray.max() < 128:
        return False
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    aside = np.abs(np.array(center(gray)) - FRAMING.size / 2).max()
    if not (FRAMING.box - 6 <= longer <= FRAMING.box + 4 and aside <= 3.5):
        return False
    return _is_exact(gray, aside) or THINNEST <= _stroke_width(gray) <= THICKEST


def _is_exact(gray: Gray, aside: float) -> bool:
    """Whether a digit fits the box to the pixel, is centered to the pixel, and has edges of gray, as all of MNIST's."""
    rows, columns = np.nonzero(gray)
    edges = np.count_nonzero((gray >= 24) & (gray < 232))
    return bool(max(np.ptp(rows), np.ptp(columns)) + 1 == FRAMING.box and aside <= 0.6 and edges >= 0.1 * len(rows))


def _stroke_width(gray: Gray) -> float:
    """Mean width of light strokes on black, in pixels; a gray pixel counts as a share of one."""
    share = np.pad(gray, 1) / FRAMING.ink
    edges = np.abs(np.diff(share, axis=0)).sum() + np.abs(np.diff(share, axis=1)).sum()
    return float(mean_thickness(share.sum(), edges))


def frame(ink: Floats) -> Gray:
    """Fit a digit into the box and center it: uint8 (28, 28).

    Args:
        ink: How much of each pixel is ink, 0 … 1, (H, W), at any scale and with any empty space around it.
    """
    rows, columns = np.nonzero(ink > 0.5)
    tight = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = FRAMING.box / max(tight.shape)
    width, height = (max(1, round(side * scale)) for side in (tight.shape[1], tight.shape[0]))
    # Hamming is Pillow's sharpest filter that never rings: ink next to bare paper leaves no halo.
    small = np.asarray(Image.fromarray(tight).resize((width, height), Image.Resampling.HAMMING))
    gray = np.rint(np.clip(small / small.max(), 0, 1) * FRAMING.ink).astype(np.uint8)

    framed = np.full((FRAMING.size, FRAMING.size), FRAMING.background, np.uint8)
    corner = [round(FRAMING.size / 2 - center) for center in center(gray)]
    top = min(max(corner[0], 0), FRAMING.size - height)
    left = min(max(corner[1], 0), FRAMING.size - width)
    framed[top : top + height, left : left + width] = gray
    return framed


def center(gray: Gray) -> tuple[float, float]:
    """Row and column of the center of mass of a gray picture (H, W)."""
    mass = gray.astype(np.float64)
    rows, columns = (np.arange(side) for side in gray.shape)
    return float(mass.sum(axis=1) @ rows / mass.sum()), float(mass.sum(axis=0) @ columns / mass.sum())
