"""Pictures that were cropped to the digit, or reduced to black and white."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.drawing.page import SIDE, blank, photographed, scanned, tight

Gray = NDArray[np.uint8]
Doubles = NDArray[np.float64]


def dithered(cover: Doubles, rng: np.random.Generator) -> Gray:
    """A photo in black and white alone, by Floyd and Steinberg's error diffusion."""
    photo = photographed(blank() * rng.uniform(0.6, 1), cover, rng, ink=rng.uniform(0.5, 0.85))
    return np.asarray(Image.fromarray(photo).convert("1").convert("L"))


def dithered_and_enlarged(cover: Doubles, rng: np.random.Generator) -> Gray:
    """The same, after which every dot became a square of 2 or 3 pixels."""
    side = int(rng.integers(2, 4))
    return dithered(cover, rng).repeat(side, axis=0).repeat(side, axis=1)


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
