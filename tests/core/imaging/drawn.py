"""Digits drawn for these tests, and a measure of how alike two of them are."""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from core.imaging import to_digit

Gray = NDArray[np.uint8]
Point = tuple[float, float]

# Digits as pen strokes in a unit square, x to the right and y down.
STROKES: dict[int, list[list[Point]]] = {
    2: [[(0.15, 0.25), (0.35, 0.05), (0.65, 0.05), (0.8, 0.25), (0.75, 0.45), (0.15, 0.95), (0.85, 0.95)]],
    4: [[(0.45, 0.05), (0.1, 0.6), (0.9, 0.6)], [(0.7, 0.3), (0.7, 0.95)]],
    5: [[(0.3, 0.1), (0.25, 0.45), (0.6, 0.42), (0.8, 0.65), (0.6, 0.93), (0.2, 0.88)], [(0.4, 0.1), (0.8, 0.08)]],
    7: [[(0.15, 0.08), (0.85, 0.08), (0.4, 0.95)], [(0.35, 0.5), (0.75, 0.5)]],
}


def ink(
    digit: int = 2, *, size: int = 240, canvas: tuple[int, int] = (320, 320), at: Point = (0.5, 0.5), pen: int = 12
) -> NDArray[np.float64]:
    """How much of each pixel a drawn digit covers, 0 … 1, (H, W); `at` is the place of its center on the canvas."""
    height, width = canvas
    picture = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(picture)
    for stroke in STROKES[digit]:
        points = [(at[0] * width + (x - 0.5) * size, at[1] * height + (y - 0.5) * size) for x, y in stroke]
        draw.line(points, fill=255, width=pen, joint="curve")
        for x, y in points:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(picture) / 255


def on_white(**how: Any) -> Gray:
    return ((1 - ink(**how)) * 255).astype(np.uint8)


def encoded(picture: Image.Image | NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


def likeness(one: Gray, other: Gray) -> float:
    """Cosine of the angle between two digits as vectors: 1 when they are the same, about 0.5 for different digits."""
    a, b = one.ravel().astype(float), other.ravel().astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def likeness_nearby(one: Gray, other: Gray) -> float:
    """The likeness of two digits, wherever it is greatest if one of them is moved by up to a pixel."""
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(likeness(np.roll(one, move, axis=(0, 1)), other) for move in moves)


def lit(paper: NDArray[np.float64], cover: NDArray[np.float64], *, strength: float = 0.6) -> Gray:
    """Paper of the given brightness (H, W) with ink on it that takes away a share of the light."""
    return np.clip(paper * (1 - strength * cover), 0, 255).astype(np.uint8)


def noise(shape: tuple[int, int], spread: float, *, seed: int = 7) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, spread, shape)


def grain(shape: tuple[int, int], spread: float, *, size: int, seed: int = 1) -> NDArray[np.float64]:
    """Noise whose spots are about `size` pixels wide."""
    fine = Image.fromarray(np.clip(128 + noise(shape, 50, seed=seed), 0, 255).astype(np.uint8))
    coarse = np.asarray(fine.filter(ImageFilter.GaussianBlur(size))).astype(float)
    return (coarse - coarse.mean()) * (spread / coarse.std())


def mnist_test_images() -> Gray:
    path = Path(__file__).parents[3] / "data" / "mnist" / "t10k-images-idx3-ubyte.gz"
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)


REFERENCE = to_digit(Image.fromarray(on_white()))
