"""Sheets under all kinds of light, and on dark tables."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from core.drawing.page import SIDE, blank, photographed

Gray = NDArray[np.uint8]
Doubles = NDArray[np.float64]


def under_a_flash(cover: Doubles, rng: np.random.Generator) -> Gray:
    """Faint pencil, and a bright reflection beside it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    side = rng.choice([-1, 1], 2)
    row, column = SIDE / 2 + side * rng.uniform(140, 190, 2)
    away = np.hypot(rows - row, columns - column) / rng.uniform(25, 60)
    glare = 1 / (1 + away**6)
    return photographed(blank() * 0.6 * (1 + 0.8 * glare), cover * (1 - 0.5 * glare), rng, ink=rng.uniform(0.12, 0.25))


def folded(cover: Doubles, rng: np.random.Generator) -> Gray:
    """A fold crosses the sheet: a thin dark line, and another brightness behind it."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    angle = rng.uniform(-0.15, 0.15) + rng.choice([0, np.pi / 2])
    place = (rows - SIDE / 2) * np.cos(angle) + (columns - SIDE / 2) * np.sin(angle) - rng.uniform(-120, 120)
    crease = rng.uniform(0.15, 0.4) * np.exp(-((place / rng.uniform(1.5, 3)) ** 2))
    return photographed(blank() * (1 - crease) * np.where(place > 0, rng.uniform(0.8, 0.95), 1), cover, rng)


def in_a_sharp_shadow(cover: Doubles, rng: np.random.Generator) -> Gray:
    """The shadow of a phone or a hand, with sharp edges, covers a part."""
    shade = Image.new("L", (SIDE, SIDE), 0)
    left, top = rng.uniform(-100, 300, 2)
    width, height = rng.uniform(60, 300, 2)
    corners = [(left, top), (left + width, top + 30), (left + width + 20, top + height), (left - 30, top + height + 10)]
    ImageDraw.Draw(shade).polygon(corners, fill=255)
    soft = np.asarray(shade.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))) / 255
    return photographed(blank() * (1 - rng.uniform(0.2, 0.5) * soft), cover, rng)


def in_the_shadow_of_a_hand(cover: Doubles, rng: np.random.Generator) -> Gray:
    """The shadows of four fingers, as slender as strokes, reach in from the lower edge."""
    shade = Image.new("L", (SIDE, SIDE), 0)
    draw, left = ImageDraw.Draw(shade), rng.uniform(0, SIDE - 120)
    for finger in range(4):
        x, y, width = left + 40 * finger, rng.uniform(240, 330), round(rng.uniform(18, 28))
        draw.line((x, SIDE + width, x + rng.uniform(-40, 40), y), fill=255, width=width)
    soft = np.asarray(shade.filter(ImageFilter.GaussianBlur(rng.uniform(1, 6)))) / 255
    return photographed(blank() * (1 - rng.uniform(0.2, 0.4) * soft), cover, rng)


def beside_a_dark_table(cover: Doubles, rng: np.random.Generator) -> Gray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    place = columns + rows * rng.uniform(-0.15, 0.15)
    share = rng.uniform(20, 90)
    page = np.where(place < share, 50 + rng.normal(0, 6, (SIDE, SIDE)), blank())
    turned = np.rot90(page, int(rng.integers(4)))
    return photographed(turned, np.where(turned < 150, 0, cover), rng, ink=rng.uniform(0.25, 0.7))
