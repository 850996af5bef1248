"""The paper: the picture as it would be without ink, and the contrast of the ink against it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.imaging.morphology import closing

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

FLAT = 12  # gray levels: the edge of a canvas in a drawing program varies by less, even with JPEG noise
DARKEST_PAPER = 64  # gray level; below, dividing by the paper would only amplify noise
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
    """

    contrast: Floats
    weight: Floats
    prior: float
    flat: bool


def views(gray: Gray) -> Iterator[View]:
    """Both views of a gray picture, uint8 (H, W): dark ink first, then light ink."""
    prior = PAPER_PRIOR if gray.mean() > BRIGHT else 1.0
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    low, high = np.percentile(edge, [4, 96])
    if high - low <= FLAT:
        lighter = (gray.astype(np.float32) - np.float32(np.median(edge))) / 255
        yield View(np.maximum(-lighter, 0), np.ones((), np.float32), prior, flat=True)
        yield View(np.maximum(lighter, 0), np.ones((), np.float32), 1.0, flat=True)
        return
    window = max(3, min(gray.shape) // 5)
    smooth = np.asarray(Image.fromarray(gray).filter(ImageFilter.BoxBlur(min(gray.shape) / 400)))
    for paper, darker, odds in (
        (closing(smooth, window), np.float32(1), prior),
        (255 - closing(255 - smooth, window), np.float32(-1), 1.0),
    ):
        light: Floats = np.maximum(paper, DARKEST_PAPER).astype(np.float32)
        # Ink reflects a share of the light that falls on the paper, so shadows cancel in the quotient.
        contrast = np.maximum((paper.astype(np.float32) - smooth) * darker, 0) / light
        yield View(contrast, (light / 255).astype(np.float32), odds, flat=False)
