"""The way from a photo to its digit: a figure of what the real code makes of it in each step."""

import io
from collections.abc import Callable
from functools import cache

import matplotlib as mpl
import numpy as np
from framing_panels import Gray, mark, outline, sheet, show
from framing_photos import lined_photo
from matplotlib.figure import Figure
from PIL import Image

from core.drawing.digits import STYLES
from core.drawing.hand import Hand
from core.drawing.pen import Pen, ink
from core.imaging import FRAMING, LATEST, decode, to_digit
from core.imaging.components import components
from core.imaging.framing import center
from core.imaging.gray import to_gray
from core.imaging.ink import find_ink
from core.imaging.paper import View, views
from core.imaging.picture import FINE, _strokes
from core.imaging.ruling import without_lines

LARGE = 2.5  # inches: the panels that show the photo


@cache
def photo() -> Image.Image:
    """The photo that the page follows, upright."""
    return decode(lined_photo())


@cache
def gray() -> Gray:
    """Its gray levels."""
    return to_gray(photo())


@cache
def view() -> View:
    """Dark ink on its paper: the likeliest of its views."""
    return next(views(gray()))


def draw_upright() -> Figure:
    """Step 1."""
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], Image.open(io.BytesIO(lined_photo())), "as it is stored")
    show(panels[0, 1], photo(), "upright")
    return figure


def draw_gray() -> Figure:
    """Step 2."""
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], photo().convert("L"), "luminance")
    show(panels[0, 1], gray(), "along the axis of color difference")
    return figure


def draw_contrast() -> Figure:
    """Step 3."""
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], 255 * view().weight, "the paper, as if nothing were on it")
    show(panels[0, 1], view().contrast, "contrast", high=float(view().contrast.max()))
    return figure


def draw_ruling() -> Figure:
    """Step 4."""
    lines = without_lines(view().contrast)
    if lines is None:
        raise ValueError("no lines were found in the photo of ruled paper")
    high = float(view().contrast.max())
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], view().contrast - lines.contrast, f"{len(lines.strength)} lines, taken away", high=high)
    show(panels[0, 1], lines.contrast, "what remains", high=high)
    return figure


def draw_components() -> Figure:
    """Step 5."""
    found = find_ink(gray())
    parts = components(found.contrast > found.threshold, found.contrast)
    palette = np.array(mpl.colormaps["tab10"].colors)
    colored = np.ones((*found.mask.shape, 3))
    for number, largest in enumerate(np.argsort(-parts.area)):
        colored[parts.paint(np.arange(len(parts.area)) == largest)] = palette[number % len(palette)]
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], colored, f"{len(parts.area)} components")
    show(panels[0, 1], ~found.mask, "the digit", high=1)
    outline(panels[0, 1], found.box)
    return figure


def draw_strokes() -> Figure:
    """Step 6, for one hand with three pens."""
    figure, panels = sheet(2, 3, width=1.65, height=1.65)
    for above, below, (name, width) in zip(*panels, {"pencil": 0.03, "pen": 0.09, "brush": 0.2}.items(), strict=True):
        hand = Hand(np.random.default_rng(2), jitter=0)
        drawn = ink(STYLES["2 with loop"].draw(hand), Pen(width, pressure=0, tapering=False), hand, size=150)
        found = find_ink(255 - np.pad(np.asarray(drawn), 20))
        show(above, ~found.mask, f"{name}: {found.thickness * FRAMING.box / found.size:.1f} pixels", high=1)
        even = _strokes(found)
        [thickness] = components(even > 0.5, even).thickness
        show(below, 1 - even, f"evened: {thickness / FINE:.1f} pixels", high=1)
    return figure


def draw_framed() -> Figure:
    """Step 7."""
    image = to_digit(photo())
    figure, panels = sheet(1, 2, width=LARGE, height=LARGE)
    show(panels[0, 0], photo(), "the photo")
    show(panels[0, 1], image, "its digit, framed")
    mark(panels[0, 1], image, center(image))
    return figure


def draw_versions() -> Figure:
    """The same photo in each framing."""
    figure, panels = sheet(1, 1 + LATEST, width=1.65, height=1.65)
    show(panels[0, 0], photo(), "the same photo")
    for version in range(1, LATEST + 1):
        show(panels[0, version], to_digit(photo(), version), f"framing {version}")
    return figure


STEPS: dict[str, Callable[[], Figure]] = {
    "upright.png": draw_upright,
    "gray.png": draw_gray,
    "contrast.png": draw_contrast,
    "ruling.png": draw_ruling,
    "components.png": draw_components,
    "strokes.png": draw_strokes,
    "framed.png": draw_framed,
    "versions.png": draw_versions,
}
