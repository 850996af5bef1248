"""Pictures for the report: PNG, inside the page as data URIs."""

import io
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_UNITS = 256
"""First-layer units that are drawn, at about 0.6 kB each."""

_STEPS = 31
"""Shades on each side of zero: more cannot be told apart, and fewer distinct bytes compress better."""

_NEGATIVE, _POSITIVE = (38, 120, 214), (224, 88, 16)
"""Blue and orange: apart for every kind of color vision, and visible on a light and on a dark page."""


def digit(image: NDArray[np.uint8]) -> str:
    """(28, 28) uint8 → data URI of a gray PNG, 255 (ink) white."""
    return _png(Image.fromarray(image))


def strongest(first_layer: NDArray[np.float32], keep: int = MOST_UNITS) -> list[int]:
    """The units with the largest weights, by Euclidean norm, largest first.

    Args:
        first_layer: (28, 28, units) float32.
        keep: How many at most.
    """
    norms = np.linalg.norm(first_layer.reshape(-1, first_layer.shape[-1]), axis=0)  # (units,)
    order: list[int] = np.argsort(-norms, kind="stable")[:keep].tolist()
    return order


def weight_strip(first_layer: NDArray[np.float32]) -> str:
    """All units' weights as one strip, 28 wide and 28 · units high, unit below unit: the page shows a window of each.

    Hue is the sign, opacity the size: a weight of 0 shows the page, be it light or dark. One scale for all units keeps
    those pale that have learned little. It ends below the very largest weights: a single one would pale all others.

    Args:
        first_layer: (28, 28, units) float32.

    Returns:
        Data URI of a PNG with a palette.
    """
    units = np.nan_to_num(np.moveaxis(first_layer, -1, 0))  # (units, 28, 28)
    full = max(float(np.quantile(np.abs(units), 0.997)), 1e-30)  # not 0, were all weights 0
    shades = np.rint(np.clip(units / full, -1, 1) * _STEPS) + _STEPS  # 0 … 2 · _STEPS
    strip = Image.fromarray(shades.astype(np.uint8).reshape(-1, first_layer.shape[1]))
    strip.putpalette(_NEGATIVE * _STEPS + _POSITIVE * (_STEPS + 1))
    opacity = np.rint(np.abs(np.arange(-_STEPS, _STEPS + 1)) * 255 / _STEPS).astype(np.uint8)
    return _png(strip, transparency=opacity.tobytes())


def _png(image: Image.Image, **options: Any) -> str:
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True, **options)
    return "data:image/png;base64," + b64encode(png.getvalue()).decode()
