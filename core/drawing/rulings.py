"""Sheets with lines: ruled and squared paper, margins, forms."""

import numpy as np
from numpy.typing import NDArray

from core.drawing.page import blank, lines, photographed, scanned

Gray = NDArray[np.uint8]
Doubles = NDArray[np.float64]


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
    spacing, width, strength = rng.uniform(16, 80), rng.uniform(1.2, 3), rng.uniform(0.15, 0.5)
    paper = 1 - _squares(rng, spacing, width, strength, tilt=rng.uniform(-0.06, 0.06))
    return photographed(blank() * paper, cover, rng)


def squared_and_scanned(cover: Doubles, rng: np.random.Generator) -> Gray:
    spacing, width, strength = rng.uniform(16, 80), rng.uniform(1, 3), rng.uniform(0.2, 0.7)
    return scanned(blank() * (1 - _squares(rng, spacing, width, strength, tilt=0)), cover)


def _squares(rng: np.random.Generator, spacing: float, width: float, strength: float, tilt: float) -> Doubles:
    """Lines in both directions, as shares of the light that they take away, (SIDE, SIDE)."""
    across = lines(rng, spacing=spacing, width=width, strength=strength, tilt=tilt)
    down = lines(rng, across=False, spacing=spacing, width=width, strength=strength, tilt=-tilt)
    return np.maximum(across, down)


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
