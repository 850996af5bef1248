"""The photos in docs/guide/framing.md: paper, lines, ink and light, all of them computed."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFilter

from core.drawing.digits import STYLES
from core.drawing.hand import Hand, Stroke
from core.drawing.page import SIDE, lines
from core.drawing.pen import Pen, ink, transformed

Doubles = NDArray[np.float64]
Color = tuple[float, float, float]
Draw = Callable[[Hand], list[Stroke]]

PAPER: Color = (0.97, 0.94, 0.86)
"""The shares of red, green and blue light that a material reflects: the paper alone, and what it loses to …"""
RULE: Color = (0.45, 0.72, 0.95)
ORANGE: Color = (0.98, 0.58, 0.22)
BLUE: Color = (0.16, 0.24, 0.62)

SIDEWAYS = 6  # EXIF orientation of a photo taken with the phone held upright: turn it right by a quarter to see it


def lined_photo() -> bytes:
    """A 5 in orange on ruled paper, half in the shadow of a hand: a JPEG file that is stored on its side."""
    rng = np.random.default_rng(10)
    cover = np.zeros((SIDE, SIDE))
    _write(cover, STYLES["5 in two strokes"].draw, rng, size=170, at=(125, 105))
    _dirt(cover, rng)
    rule = 0.8 * lines(rng, spacing=62, width=3, strength=1, tilt=0.03)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    shadow = 0.45 / (1 + np.exp(-40 * (columns + 0.35 * rows - 0.72)))
    picture = _photo(cover, ORANGE, rule, 1.0 - shadow - 0.12 * rows, rng)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = SIDEWAYS
    return _jpeg(picture.transpose(Image.Transpose.ROTATE_90), exif=exif)


def letter_photo() -> bytes:
    """An A in blue on ruled paper: a JPEG file."""
    rng = np.random.default_rng(1)
    cover = np.zeros((SIDE, SIDE))
    _write(cover, _letter_a, rng, size=150, at=(140, 120))
    rule = 0.8 * lines(rng, spacing=62, width=3, strength=1)
    return _jpeg(_photo(cover, BLUE, rule, np.linspace(1.0, 0.8, SIDE)[:, np.newaxis], rng))


def number_photo(digits: Sequence[int]) -> bytes:
    """A number in blue on squared paper, in a line that slopes: a JPEG file."""
    rng = np.random.default_rng(5)
    cover = np.zeros((SIDE, SIDE))
    left = 22.0
    for place, digit in enumerate(digits):
        style = next(style for style in STYLES.values() if style.digit == digit)
        width = _write(cover, style.draw, rng, size=62, at=(round(left), round(50 + 4 * place)))
        left += width + rng.uniform(-3, 12)
    rule = 0.45 * np.maximum(
        *(lines(rng, across=across, spacing=25, width=1.4, strength=1) for across in (True, False))
    )
    whole = _photo(cover, BLUE, rule, np.linspace(1.0, 0.7, SIDE)[np.newaxis], rng)
    return _jpeg(whole.crop((0, 20, SIDE, 180)))


def _letter_a(hand: Hand) -> list[Stroke]:
    return [hand.line((0.0, 1.0), (0.4, 0.0), (0.8, 1.0)), hand.line((0.1, 0.65), (0.7, 0.65))]


def _write(cover: Doubles, draw: Draw, rng: np.random.Generator, *, size: int, at: tuple[int, int]) -> int:
    """Add strokes to what ink covers, (H, W), at (left, top); returns their width, in pixels."""
    hand = Hand(rng, jitter=0.015)
    strokes = transformed(draw(hand), hand, turn=4, slant=0.1, stretch=0.1)
    drawn = np.asarray(ink(strokes, Pen(0.075, pressure=0.2, tapering=False), hand, size)) / 255
    left, top = at
    place = cover[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    np.maximum(place, drawn[: place.shape[0], : place.shape[1]], out=place)
    return drawn.shape[1]


def _dirt(cover: Doubles, rng: np.random.Generator) -> None:
    """A few specks, and the beginning of something else that the edge cuts off."""
    for row, column in rng.integers(20, SIDE - 20, (5, 2)):
        cover[row : row + 3, column : column + 3] = 0.8
    _write(cover, STYLES["2"].draw, rng, size=90, at=(SIDE - 30, 290))


def _photo(cover: Doubles, pen: Color, rule: Doubles, light: Doubles, rng: np.random.Generator) -> Image.Image:
    """What a camera makes of ink and lines, as shares of each pixel, (H, W), under light from 0 to 1."""
    page = np.ones((*cover.shape, 3)) * PAPER
    page *= 1 - rule[..., np.newaxis] * (1 - np.array(RULE))
    page *= 1 - cover[..., np.newaxis] * (1 - np.array(pen))
    sharp = Image.fromarray(np.clip(255 * page * light[..., np.newaxis], 0, 255).astype(np.uint8))
    noisy = np.asarray(sharp.filter(ImageFilter.GaussianBlur(0.8))) + rng.normal(0, 1.5, page.shape)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _jpeg(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85, **options)
    return file.getvalue()
