"""Color and transparency → one gray picture in which the ink stands out from the paper."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Gray = NDArray[np.uint8]

THUMBNAIL_PIXELS = 20_000  # enough to find the axis along which the colors differ


def opaque(picture: Image.Image) -> Image.Image:
    """A picture of mode "L", "LA", "RGB" or "RGBA" on the background that it was drawn for; of mode "L" or "RGB"."""
    if picture.mode not in ("LA", "RGBA"):
        return picture
    alpha = np.asarray(picture.getchannel("A"))
    colors = picture.convert("L" if picture.mode == "LA" else "RGB")
    if alpha.min() == 255:
        return colors
    background = Image.new(colors.mode, colors.size, _background(np.asarray(colors.convert("L")), alpha))
    return Image.composite(colors, background, picture.getchannel("A"))


def _background(gray: Gray, alpha: Gray) -> str | tuple[int, ...]:
    """The background for strokes, or around a card, given gray levels and alpha of shape (H, W)."""
    solid = gray[alpha > 127]
    if 2 * solid.size >= alpha.size and np.ptp(np.percentile(solid, [1, 99])) > 40:
        # More than half is opaque, and has contrast of its own: a card with a digit on it, and transparent corners.
        return "#" + 3 * f"{int(np.median(solid)):02x}"
    # Only the strokes are opaque: black ones were drawn on a light page, white ones on a dark one.
    weight = alpha.astype(np.float64)
    return "white" if (gray * weight).sum() < 128 * weight.sum() else "black"


def to_gray(picture: Image.Image) -> Gray:
    """The gray levels of a picture of mode "L" or "RGB" along the color axis on which its details differ most.

    Yellow and white, or red and green, hardly differ in luminance. The axis is the first principal component of the
    colors around their local mean, so that uneven light does not count, and is measured on a thumbnail.

    Returns:
        uint8 (H, W).
    """
    if picture.mode == "L":
        return np.asarray(picture)
    thumbnail = picture.reduce(max(1, math.isqrt(picture.width * picture.height // THUMBNAIL_PIXELS)))
    colors = np.asarray(thumbnail).astype(np.float32)  # (h, w, 3)
    red, green, blue = colors[..., 0], colors[..., 1], colors[..., 2]
    if (np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)).max() <= 3:
        return np.asarray(picture.convert("L"))
    around = np.asarray(thumbnail.filter(ImageFilter.BoxBlur(max(thumbnail.size) / 8)))
    details = (colors - around).reshape(-1, 3)
    axis = np.linalg.eigh(details.T @ details).eigenvectors[:, -1]
    axis *= (np.sign(axis.sum()) or 1) / np.abs(axis).sum()  # brighter stays brighter, and 255 levels stay 255
    darkest = 255 * axis[axis < 0].sum()
    return np.asarray(picture.convert("L", (*axis.tolist(), 0.5 - float(darkest))))
