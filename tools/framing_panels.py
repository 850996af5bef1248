"""Figures of panels: how tools/draw_framing.py lays out pictures, marks them, and makes small files of them."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

Gray = NDArray[np.uint8]
Picture = Image.Image | NDArray[np.generic]

BLACK, GREEN, RED, BLUE = "black", "#1a7f37", "#cf222e", "#0969da"
FAINT = 16  # levels between the channels: less is gray
TITLE = 0.17  # inches, for each line of a title
GAP = 0.04  # inches, between panels


def sheet(
    rows: int, columns: int, *, width: float, height: float, lines: int = 1
) -> tuple[Figure, NDArray[np.object_]]:
    """A figure of panels, (rows, columns), without axes.

    Args:
        rows: How many panels there are from top to bottom.
        columns: How many there are from left to right.
        width: Of each, in inches.
        height: Of each, in inches.
        lines: How many lines of text the title above each has.
    """
    top = TITLE * lines + 0.05
    whole = (columns * (width + GAP) + GAP, rows * (height + top) + GAP)
    figure = Figure(figsize=whole, dpi=100)
    panels = np.empty((rows, columns), object)
    for row, column in np.ndindex(rows, columns):
        left, bottom = GAP + column * (width + GAP), GAP + (rows - 1 - row) * (height + top)
        panels[row, column] = figure.add_axes(
            (left / whole[0], bottom / whole[1], width / whole[0], height / whole[1]), frameon=False
        )
        panels[row, column].set_axis_off()
    return figure, panels


def show(axes: Axes, picture: Picture, title: str = "", *, color: str = BLACK, high: float = 255) -> None:
    """A picture in its panel; gray levels run from 0 to `high`."""
    axes.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=high, interpolation="nearest")
    axes.set_title(title, fontsize=8, color=color, pad=3)


def outline(axes: Axes, box: Sequence[float]) -> None:
    """A rectangle along the edges of pixels: left, top, right, bottom; right and bottom are exclusive."""
    left, top, right, bottom = box
    axes.add_patch(
        Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, color=GREEN, linewidth=1.5)
    )


def mark(axes: Axes, image: Gray, center: tuple[float, float]) -> None:
    """The box of a framed digit, the middle of the image, and the digit's center of mass (row, column)."""
    rows, columns = np.nonzero(image)
    outline(axes, (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    axes.axhline(image.shape[0] / 2, color=BLUE, linewidth=0.8)
    axes.axvline(image.shape[1] / 2, color=BLUE, linewidth=0.8)
    axes.plot(center[1], center[0], "+", color=RED, markersize=10, markeredgewidth=2)


def png(figure: Figure, *, weights: str) -> bytes:
    """A figure as a small PNG file on white, so that it looks the same on a light and on a dark page.

    Args:
        figure: What to draw.
        weights: The digest of the weights that gave the answers in it; a text of that name in the file says so.
    """
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", facecolor="white")
    picture = Image.open(drawn).convert("RGB")
    # An octree keeps the colors of a photo, but has few grays; maximum coverage keeps the grays, and colored lines.
    colorful = float((np.ptp(np.asarray(picture), axis=2) > FAINT).mean()) > 0.1
    colors, method = (256, Image.Quantize.FASTOCTREE) if colorful else (96, Image.Quantize.MAXCOVERAGE)
    note = PngInfo()
    note.add_text("weights", weights)
    picture.quantize(colors, method, dither=Image.Dither.NONE).save(small, "PNG", optimize=True, pnginfo=note)
    return small.getvalue()
