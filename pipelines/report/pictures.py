"""Pictures for the report: PNG data URIs."""

import io
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data.labeled import Labeled
from core.digit import NO_DIGIT

MOST_UNITS = 256
"""How many first-layer units are drawn at most, at about 0.6 kB each."""

_STEPS = 31
"""Shades on each side of zero: more could not be distinguished, and fewer distinct bytes compress better."""

_NEGATIVE, _POSITIVE = (38, 120, 214), (224, 88, 16)
"""Blue and orange: distinct for every kind of color vision, and visible on a light and on a dark page."""


def digit(image: NDArray[np.uint8]) -> str:
    """(28, 28) uint8 → data URI of a gray PNG; 255, ink, is white."""
    return _png(Image.fromarray(image))


def examples(drawn: Labeled, labels: Sequence[str], keep: int = 12) -> list[tuple[str, list[str]]]:
    """The first few images of each label that occurs, as data URIs.

    Args:
        drawn: Images of digits, and of no digit.
        labels: What the digits are called.
        keep: How many images of each digit; three times as many of no digit, which are of more kinds.

    Returns:
        (label, pictures), in the order of the labels; that of no digit is "none".
    """
    rows = []
    for label in np.unique(drawn.labels).tolist():
        shown = drawn.images[drawn.labels == label][: 3 * keep if label == NO_DIGIT else keep]
        rows.append(("none" if label == NO_DIGIT else labels[label], [digit(image) for image in shown]))
    return rows


def strongest(first_layer: NDArray[np.float32], keep: int = MOST_UNITS) -> list[int]:
    """The units with the largest weights, by Euclidean norm, largest first.

    Args:
        first_layer: (28, 28, units) float32.
        keep: How many units at most.
    """
    norms = np.linalg.norm(first_layer.reshape(-1, first_layer.shape[-1]), axis=0)  # (units,)
    order: list[int] = np.argsort(-norms, kind="stable")[:keep].tolist()
    return order


def weight_strip(first_layer: NDArray[np.float32]) -> str:
    """All units' weights as one strip, 28 · units high and 28 wide; the page shows a window of it for each unit.

    Hue is the sign and opacity the size, so a weight of 0 shows the page, whether light or dark. All units share one
    scale, so units that have learned little are pale. The scale ends below the very largest weights: otherwise a single
    one would make all others pale.

    Args:
        first_layer: (28, 28, units) float32.

    Returns:
        Data URI of a PNG with a palette.
    """
    units = np.nan_to_num(np.moveaxis(first_layer, -1, 0))  # (units, 28, 28)
    full = max(float(np.quantile(np.abs(units), 0.997)), 1e-30)  # never 0, even if all weights are
    shades = np.rint(np.clip(units / full, -1, 1) * _STEPS) + _STEPS  # 0 … 2 · _STEPS
    strip = Image.fromarray(shades.astype(np.uint8).reshape(-1, first_layer.shape[1]))
    strip.putpalette(_NEGATIVE * _STEPS + _POSITIVE * (_STEPS + 1))
    opacity = np.rint(np.abs(np.arange(-_STEPS, _STEPS + 1)) * 255 / _STEPS).astype(np.uint8)
    return _png(strip, transparency=opacity.tobytes())


def _png(image: Image.Image, **options: Any) -> str:
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True, **options)
    return "data:image/png;base64," + b64encode(png.getvalue()).decode()
