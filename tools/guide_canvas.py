"""Figures of the guide: a canvas for drawings, a chart of curves, and small SVG files of both.

Each has a solid background, so that it looks the same on a light and on a dark page. Text stays text: it can be
searched, and a test can compare it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import LogLocator, MaxNLocator

from pipelines.report.line_labels import apart

PAPER, INK, QUIET, LINE = "#fdfcf8", "#1c2127", "#586069", "#c9cfd6"
BLUE, ORANGE = "#1668c4", "#b8540a"
COLORS = ("#1668c4", "#b8540a", "#17713a", "#7b3fb5", "#b3261e", "#0b7a83", "#6b5b00", "#c2317f", "#444c56")
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.4, 1.2, 1.4)))
MARKERS = "os^DvPX<>"

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "guide",  # the ids in a file depend on the drawing alone
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
}


@dataclass(frozen=True)
class Curve:
    """A line of a chart.

    Attributes:
        name: At its end.
        x: Where its values are, rising.
        y: The values.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure without axes whose coordinates are inches, from the lower left."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return figure, axes


def box(axes: Axes, center: tuple[float, float], size: tuple[float, float], text: str, color: str = INK) -> None:
    """A rounded box with text in it."""
    (x, y), (width, height) = center, size
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="white",
        edgecolor=color,
        linewidth=1.2,
    )
    axes.add_patch(patch)
    write(axes, center, text)


def write(
    axes: Axes, at: tuple[float, float], text: str, color: str = INK, size: float = 10, align: str = "center"
) -> None:
    """Text around a point; `align` is "center", "left" or "right"."""
    axes.text(*at, text, color=color, fontsize=size, ha=align, va="center")


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str = INK, bend: float = 0) -> None:
    """An arrow; `bend` is how far it swings out to one side, as a share of its length."""
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=style | {"connectionstyle": f"arc3,rad={bend}"})


def chart(
    axes: Axes,
    title: str,
    curves: Sequence[Curve],
    *,
    across: str,
    log: bool = False,
    top: float = inf,
    gap: float = 0.075,
) -> None:
    """Curves with their names right of the axes, as near to their ends as the other names allow.

    Args:
        axes: Where to draw.
        title: Above it.
        curves: In the order of the colors.
        across: What the horizontal axis shows.
        log: Whether the vertical axis is logarithmic; values that are not positive are then left out.
        top: What lies above is cut off.
        gap: The least distance of two names, as a share of the axes' height.
    """
    ends = []
    for index, curve in enumerate(curves):
        points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if y > 0 or not log]
        if not points:
            continue
        axes.plot(
            *zip(*points, strict=True),
            linestyle=DASHES[index % len(DASHES)],
            color=COLORS[index % len(COLORS)],
            marker=MARKERS[index % len(MARKERS)] if len(points) <= 50 else None,
            markersize=3.5,
            markevery=max(1, len(points) // 8),
            linewidth=1.5,
        )
        ends.append((points[-1], curve.name, COLORS[index % len(COLORS)]))
    if log:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        high = min(high, top)
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if log10(high / low) < 2.2 else (1,)))
        axes.yaxis.set_major_formatter(lambda value, _: tick(value))
        axes.minorticks_off()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel(across)
    name_ends(axes, ends, gap)


def tick(value: float) -> str:
    """0.01 and 200 as they are, and what is smaller or larger as a power of ten."""
    if 0.005 <= value <= 500:
        return f"{value:g}"
    digits, power = f"{value:e}".split("e")
    factor = "" if float(digits) == 1 else f"{float(digits):g}·"
    return factor + "10" + str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def name_ends(axes: Axes, ends: Sequence[tuple[tuple[float, float], str, str]], gap: float) -> None:
    """Write each name beside the end of its line, in the line's color."""
    across = axes.transAxes.inverted()
    low, high = axes.get_ylim()
    places = [float(across.transform(axes.transData.transform((x, min(max(y, low), high))))[1]) for (x, y), *_ in ends]
    for (_, name, color), height in zip(ends, apart(places, gap=gap), strict=True):
        axes.text(1.03, height, name, color=color, fontsize=8.5, va="center", transform=axes.transAxes)


def svg(figure: Figure) -> bytes:
    """The figure as a file that depends on nothing but the figure."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue().encode()


def use_style() -> None:
    """From now on, matplotlib draws in the guide's style, whatever the user's matplotlibrc says."""
    mpl.rcdefaults()
    mpl.rcParams.update(STYLE)
