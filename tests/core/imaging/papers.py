"""Digits on all kinds of paper, photographed, scanned, cropped, dithered: all of them made by code.

A paper turns `cover`, how much of each pixel the digit's ink covers (0 … 1, (H, W)), into a picture. `rng` decides
what differs from one sheet to the next: spacing, color, strength, tilt, light, noise.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from tests.core.imaging.drawn import Gray, encoded

Doubles = NDArray[np.float64]
Sheet = Callable[[Doubles, np.random.Generator], Gray]

SIDE = 400  # pixels, of the pictures that are not 28×28


def written(image: Gray, rng: np.random.Generator, *, size: float = 0.45, pen: float = 0.5) -> Doubles:
    """A digit of MNIST, (28, 28), written large: its cover, (SIDE, SIDE); `size` is its share of the side.

    `pen` is the gray level of the outline: a larger one makes thinner strokes.
    """
    rows, columns = np.nonzero(image > 64)
    tight = Image.fromarray(np.pad(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], 2))
    scale = size * SIDE / (max(tight.size) - 4)
    large = tight.resize((round(tight.width * scale), round(tight.height * scale)), Image.Resampling.BICUBIC)
    smooth = np.asarray(large.filter(ImageFilter.GaussianBlur(scale / 2))).astype(float) / 255
    ink = np.clip((smooth - pen) * 6 + 0.5, 0, 1)
    cover = np.zeros((SIDE, SIDE))
    room = SIDE - np.array(ink.shape)
    top, left = (round(float(space / 2 + rng.uniform(-0.15, 0.15) * space)) for space in room)
    cover[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return cover


def photographed(paper: Doubles, cover: Doubles, rng: np.random.Generator, *, ink: float = 0.6) -> Gray:
    """Paper of the given brightness (H, W) under uneven light, with ink, out of focus a little, with noise, as JPEG."""
    rows, columns = np.mgrid[-1 : 1 : paper.shape[0] * 1j, -1 : 1 : paper.shape[1] * 1j]
    slope = rng.uniform(-0.15, 0.15, 2)
    page = paper * (0.85 + slope[0] * rows + slope[1] * columns) * (1 - ink * cover)
    blurred = Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2))
    )
    noisy = np.asarray(blurred) + rng.normal(0, rng.uniform(1, 3), paper.shape)
    return compressed(np.clip(noisy, 0, 255).astype(np.uint8), rng)


def compressed(picture: Gray, rng: np.random.Generator) -> Gray:
    return np.asarray(Image.open(io.BytesIO(encoded(picture, "JPEG", quality=int(rng.integers(60, 95))))).convert("L"))


def scanned(paper: Doubles, cover: Doubles, *, ink: float = 0.8) -> Gray:
    """Paper of the given brightness (H, W) with ink, evenly lit."""
    return np.clip(paper * (1 - ink * cover), 0, 255).astype(np.uint8)


def blank() -> Doubles:
    return np.full((SIDE, SIDE), 225.0)


def lines(
    rng: np.random.Generator,
    *,
    across: bool = True,
    spacing: float,
    width: float,
    strength: float,
    tilt: float = 0.0,
    fan: float = 0.0,
) -> Doubles:
    """Ruled lines as shares of the light that they take away, (SIDE, SIDE).

    Args:
        rng: Where the first line lies.
        across: Whether they run from left to right, or from top to bottom.
        spacing, width: In pixels.
        strength: From 0 to 1.
        tilt: Rise over the length of a line, in lengths.
        fan: Change of the spacing from one side to the other, as in perspective.
    """
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    along = columns / SIDE - 0.5
    place = (rows - SIDE / 2) * (1 + fan * along) + tilt * SIDE * along + rng.uniform(0, spacing)
    distance = np.abs((place + spacing / 2) % spacing - spacing / 2)
    drawn = strength * np.clip(width / 2 + 0.5 - distance, 0, 1)
    return drawn if across else drawn.T


def ruled(cover: Doubles, rng: np.random.Generator) -> Gray:
    rule = lines(rng, spacing=rng.uniform(30, 110), width=rng.uniform(1.5, 4), strength=rng.uniform(0.15, 0.5))
    return photographed(blank() * (1 - rule), cover, rng)


def ruled_askew(cover: Doubles, rng: np.random.Generator) -> Gray:
    rule = lines(
        rng,
        spacing=rng.uniform(30, 110),
        width=rng.uniform(1.5, 4),
        strength=rng.uniform(0.15, 0.5),
        tilt=rng.uniform(-0.08, 0.08),
        fan=rng.uniform(-0.2, 0.2),
    )
    return photographed(blank() * (1 - rule), cover, rng)


def ruled_darker_than_pencil(cover: Doubles, rng: np.random.Generator) -> Gray:
    rule = lines(
        rng,
        spacing=rng.uniform(40, 110),
        width=rng.uniform(1.5, 3),
        strength=rng.uniform(0.45, 0.6),
        tilt=rng.uniform(-0.05, 0.05),
    )
    return photographed(blank() * (1 - rule), cover, rng, ink=rng.uniform(0.25, 0.4))


def ruled_and_scanned(cover: Doubles, rng: np.random.Generator) -> Gray:
    rule = lines(
        rng,
        spacing=rng.uniform(30, 110),
        width=rng.uniform(1, 3),
        strength=rng.uniform(0.2, 0.8),
        tilt=rng.uniform(-0.02, 0.02),
    )
    return scanned(blank() * (1 - rule), cover)


def ruled_by_the_same_pen(cover: Doubles, rng: np.random.Generator) -> Gray:
    rule = lines(
        rng, spacing=rng.uniform(50, 130), width=rng.uniform(2, 4), strength=0.8, tilt=rng.uniform(-0.04, 0.04)
    )
    return scanned(blank() * (1 - rule), cover)


def squared(cover: Doubles, rng: np.random.Generator) -> Gray:
    how = {"spacing": rng.uniform(16, 80), "width": rng.uniform(1.2, 3), "strength": rng.uniform(0.15, 0.5)}
    tilt = rng.uniform(-0.06, 0.06)
    paper = 1 - np.maximum(lines(rng, tilt=tilt, **how), lines(rng, across=False, tilt=-tilt, **how))
    return photographed(blank() * paper, cover, rng)


def squared_and_scanned(cover: Doubles, rng: np.random.Generator) -> Gray:
    how = {"spacing": rng.uniform(16, 80), "width": rng.uniform(1, 3), "strength": rng.uniform(0.2, 0.7)}
    paper = 1 - np.maximum(lines(rng, **how), lines(rng, across=False, **how))
    return scanned(blank() * paper, cover)


def beside_a_margin(cover: Doubles, rng: np.random.Generator) -> Gray:
    """One or two strong lines from top to bottom, one of them through the digit."""
    margin = lines(
        rng,
        across=False,
        spacing=rng.uniform(200, 400),
        width=rng.uniform(2, 4),
        strength=rng.uniform(0.3, 0.6),
        tilt=rng.uniform(-0.05, 0.05),
    )
    return photographed(blank() * (1 - margin), cover, rng)


def on_one_line(cover: Doubles, rng: np.random.Generator) -> Gray:
    """A single line, as in a form, touches the foot of the digit."""
    bottom = int(np.nonzero(cover.max(axis=1) > 0.5)[0].max())
    paper = blank()
    thick = int(rng.integers(2, 6))
    low = bottom + int(rng.integers(-thick - 8, 2))
    paper[low : low + thick] *= 1 - rng.uniform(0.3, 0.8)
    return photographed(paper, cover, rng)


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


def beside_a_dark_table(cover: Doubles, rng: np.random.Generator) -> Gray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    place = columns + rows * rng.uniform(-0.15, 0.15)
    share = rng.uniform(20, 90)
    page = np.where(place < share, 50 + rng.normal(0, 6, (SIDE, SIDE)), blank())
    turned = np.rot90(page, int(rng.integers(4)))
    return photographed(turned, np.where(turned < 150, 0, cover), rng, ink=rng.uniform(0.25, 0.7))


def dithered(cover: Doubles, rng: np.random.Generator) -> Gray:
    """A photo in black and white alone, by Floyd and Steinberg's error diffusion."""
    photo = photographed(blank() * rng.uniform(0.6, 1), cover, rng, ink=rng.uniform(0.5, 0.85))
    return np.asarray(Image.fromarray(photo).convert("1").convert("L"))


def cropped_tightly(cover: Doubles, rng: np.random.Generator) -> Gray:
    """Drawn, and cropped so that the strokes touch all four edges."""
    inside = tight(cover, cut=int(rng.integers(0, 4)))
    return scanned(np.full(inside.shape, 255.0), inside, ink=1)


def cropped_photo(cover: Doubles, rng: np.random.Generator) -> Gray:
    inside = tight(cover, cut=int(rng.integers(0, 4)))
    return photographed(np.full(inside.shape, 225.0), inside, rng)


def cut_by_an_edge(cover: Doubles, rng: np.random.Generator) -> Gray:
    """Drawn, and cropped so that one edge cuts off a little of the digit."""
    turns = int(rng.integers(4))
    turned = np.rot90(cover, turns)
    first = int(np.nonzero(turned.max(axis=1) > 0.5)[0].min()) + 4
    return scanned(np.rot90(np.full((SIDE - first, SIDE), 255.0), -turns), np.rot90(turned[first:], -turns), ink=1)


def tight(cover: Doubles, *, cut: int) -> Doubles:
    """The cover inside the digit's bounding box, less `cut` pixels on every side."""
    rows, columns = np.nonzero(cover > 0.5)
    return cover[rows.min() + cut : rows.max() + 1 - cut, columns.min() + cut : columns.max() + 1 - cut]


SHEETS: dict[str, Sheet] = {
    "ruled": ruled,
    "ruled, askew": ruled_askew,
    "ruled, darker than the pencil": ruled_darker_than_pencil,
    "ruled, scanned": ruled_and_scanned,
    "ruled by the same pen": ruled_by_the_same_pen,
    "squared": squared,
    "squared, scanned": squared_and_scanned,
    "a margin": beside_a_margin,
    "on one line": on_one_line,
    "a flash": under_a_flash,
    "a fold": folded,
    "a sharp shadow": in_a_sharp_shadow,
    "a dark table": beside_a_dark_table,
    "dithered": dithered,
    "cropped tightly": cropped_tightly,
    "cropped tightly, photographed": cropped_photo,
    "cut by an edge": cut_by_an_edge,
}
