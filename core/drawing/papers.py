"""Digits on all kinds of paper, photographed, scanned, cropped, dithered: all of them made by code.

A sheet turns `cover`, how much of each pixel the digit's ink covers (0 … 1, (H, W)), into a picture. `rng` decides
what differs from one sheet to the next: spacing, color, strength, tilt, light, noise.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.drawing import crops, lights, rulings
from core.drawing.page import blank, lines, photographed, scanned, written

__all__ = ["SHEETS", "Sheet", "blank", "lines", "photographed", "scanned", "written"]

Sheet = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.uint8]]

SHEETS: dict[str, Sheet] = {
    "ruled": rulings.ruled,
    "ruled, askew": rulings.ruled_askew,
    "ruled, darker than the pencil": rulings.ruled_darker_than_pencil,
    "ruled, scanned": rulings.ruled_and_scanned,
    "ruled by the same pen": rulings.ruled_by_the_same_pen,
    "squared": rulings.squared,
    "squared, scanned": rulings.squared_and_scanned,
    "a margin": rulings.beside_a_margin,
    "on one line": rulings.on_one_line,
    "a flash": lights.under_a_flash,
    "a fold": lights.folded,
    "a sharp shadow": lights.in_a_sharp_shadow,
    "the shadow of a hand": lights.in_the_shadow_of_a_hand,
    "a dark table": lights.beside_a_dark_table,
    "dithered": crops.dithered,
    "dithered, enlarged": crops.dithered_and_enlarged,
    "cropped tightly": crops.cropped_tightly,
    "cropped tightly, photographed": crops.cropped_photo,
    "cut by an edge": crops.cut_by_an_edge,
}
