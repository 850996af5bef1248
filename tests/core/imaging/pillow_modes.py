"""A drawn digit in every mode that Pillow has."""

import numpy as np
from PIL import Image

from tests.core.imaging.drawn import on_white

MODES = [
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"),
    *("I", "F", "I;16", "I;16L", "I;16B", "I;16N"),
]


def in_mode(mode: str) -> Image.Image:
    """The reference drawing, in every mode that Pillow has."""
    gray = Image.fromarray(on_white())
    if mode.startswith("I;16"):
        order = {"I;16B": ">u2", "I;16N": "=u2"}.get(mode, "<u2")
        return Image.frombytes(mode, gray.size, (on_white().astype(order) * 257).astype(order).tobytes())
    if mode == "F":
        return Image.fromarray((on_white() / 255).astype(np.float32))
    if mode == "I":
        return Image.fromarray(on_white().astype(np.int32) * 257)
    if mode == "LAB":
        half = Image.new("L", gray.size, 128)
        return Image.merge("LAB", (gray, half, half))
    return gray.convert({"La": "LA", "RGBa": "RGBA", "PA": "LA", "HSV": "RGB"}.get(mode, mode)).convert(mode)
