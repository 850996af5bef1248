"""Digits that other programs draw straight into small pictures, with pens of any width."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.drawing.hand import Stroke, arc, joined, line

Gray = NDArray[np.uint8]


# All ten digits as pen strokes in a unit square, x to the right and y down.
PATHS: dict[int, list[Stroke]] = {
    0: [arc((0.5, 0.5), (0.32, 0.45), -90, 270)],
    1: [line((0.5, 0.05), (0.5, 0.95))],
    2: [joined(arc((0.5, 0.3), (0.3, 0.25), 190, 380), line((0.2, 0.95), (0.85, 0.95)))],
    3: [joined(arc((0.45, 0.27), (0.28, 0.22), 200, 440), arc((0.45, 0.71), (0.33, 0.24), -80, 150))],
    4: [line((0.45, 0.05), (0.12, 0.62), (0.9, 0.62)), line((0.68, 0.35), (0.68, 0.95))],
    5: [joined(line((0.78, 0.06), (0.3, 0.06), (0.26, 0.45)), arc((0.48, 0.66), (0.3, 0.28), -110, 140))],
    6: [joined(line((0.68, 0.05), (0.4, 0.3)), arc((0.5, 0.7), (0.29, 0.25), 190, -170))],
    7: [line((0.15, 0.07), (0.85, 0.07), (0.4, 0.95))],
    8: [joined(arc((0.5, 0.27), (0.25, 0.22), 90, 450), arc((0.5, 0.72), (0.3, 0.23), -90, 270))],
    9: [joined(arc((0.5, 0.3), (0.27, 0.25), 0, -360), line((0.77, 0.3), (0.68, 0.95)))],
}


def by_a_program(digit: int, rng: np.random.Generator, *, pen: float, side: int = 28, box: float = 20) -> Gray:
    """A digit drawn straight into a small picture, light on black: (side, side).

    Args:
        digit: 0 to 9, drawn as in `PATHS`.
        rng: How much it leans, and how narrow it is.
        pen: Width of the strokes, in pixels.
        side: Of the picture, in pixels.
        box: Height of the digit without its outline's half stroke, in pixels.
    """
    fine = 16
    canvas = Image.new("L", (side * fine, side * fine), 0)
    draw = ImageDraw.Draw(canvas)
    lean, width = rng.uniform(-0.15, 0.15), rng.uniform(0.7, 1)
    corner = (side - box) / 2
    for stroke in PATHS[digit]:
        points = [
            (fine * (corner + box * (0.5 + (x - 0.5) * width + lean * (0.5 - y))), fine * (corner + box * y))
            for x, y in stroke
        ]
        draw.line(points, fill=255, width=round(pen * fine), joint="curve")
        for x, y in points:
            draw.ellipse((x - pen * fine / 2, y - pen * fine / 2, x + pen * fine / 2, y + pen * fine / 2), fill=255)
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX))
