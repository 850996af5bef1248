"""Numbers, equations and tables, put together from MNIST's digits."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Gray = NDArray[np.uint8]

INKED = 80  # gray level from which a pixel of MNIST's is ink


def tile(image: Gray) -> Gray:
    """A digit of MNIST's, cropped to the columns with ink: (28, W)."""
    columns = np.flatnonzero((image > INKED).any(axis=0))
    return image[:, columns[0] : columns[-1] + 1]


def row(images: Gray, gap: int) -> Gray:
    """Digits side by side, light on black, with `gap` columns between them; they overlap where it is negative."""
    tiles = [tile(image) for image in images]
    result = np.zeros((28, sum(part.shape[1] + gap for part in tiles) - gap), np.uint8)
    left = 0
    for part in tiles:
        place = result[:, left : left + part.shape[1]]
        np.maximum(place, part, out=place)
        left += part.shape[1] + gap
    return result


def beside(*parts: Gray, gap: int = 6) -> Gray:
    """Parts of a line side by side, each (28, W)."""
    return np.hstack([np.pad(part, ((0, 0), (gap // 2, gap // 2))) for part in parts])


def below(*lines: Gray, gap: int = 10) -> Gray:
    """Lines one below the other, each (H, W)."""
    width = max(line.shape[1] for line in lines)
    return np.vstack([np.pad(line, ((0, gap), (0, width - line.shape[1]))) for line in lines])


def sign(kind: str) -> Gray:
    """A point or a hyphen, light on black: (28, W)."""
    height, width, top = {"point": (3, 3, 21), "hyphen": (2, 8, 14)}[kind]
    return np.pad(np.full((height, width), 255, np.uint8), ((top, 28 - top - height), (0, 0)))


def written(ink: Gray, *, scale: int = 3, margin: int = 30, turn: float = 0) -> Image.Image:
    """Ink, light on black, (H, W), as a picture of dark ink on white paper; `turn` degrees counterclockwise."""
    large = Image.fromarray(ink).resize((ink.shape[1] * scale, ink.shape[0] * scale), Image.Resampling.BICUBIC)
    sheet = Image.new("L", (large.width + 2 * margin, large.height + 2 * margin), 0)
    sheet.paste(large, (margin, margin))
    if turn:
        sheet = sheet.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    return Image.fromarray(255 - np.asarray(sheet))
