"""The chart of a study: the curves of all variants in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf, isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.report.charts import drawn
from pipelines.report.formats import number
from pipelines.report.line_labels import apart
from pipelines.report.powers import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLORS", "Curve", "overlaid"]

COLORS = 8
"""Colors that the page defines, `--v0` to `--v7`. Dashes and markers distinguish the lines as well."""

_DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.4, 1.2, 1.4)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_CROSS = "✕"
_HIGHEST = 12.0
"""Losses above this many nats are cut off: otherwise a variant that diverges hides what the others do."""


@dataclass(frozen=True)
class Curve:
    """One variant in a chart.

    Attributes:
        name: At the end of its line.
        epochs: Where its values are, rising.
        values: One for each; one that is not finite is left out.
        diverged: Whether it ends because its numbers ceased to be finite.
    """

    name: str
    epochs: Sequence[int]
    values: Sequence[float]
    diverged: bool = False


def overlaid(title: str, curves: Sequence[Curve], *, log: bool) -> Markup:
    """The curves of all variants, each with its name at its end, where a cross says that it diverged.

    Args:
        title: Shown above, and different for every chart of a page.
        curves: In the page's order, from which each has its color, dash and marker.
        log: Whether the axis is logarithmic, as for a loss; otherwise it is in percent.

    Returns:
        An `<svg>` element, whose accessible name gives the last values.
    """
    last = ", ".join(
        f"{curve.name} {'diverged' if curve.diverged else number(curve.values[-1], 3)}"
        for curve in curves
        if curve.values
    )
    colors = {f"#0002{index:02x}": f"var(--v{index % COLORS})" for index in range(len(curves))}
    height = 2.7 + 0.1 * max(0, len(curves) - 6)
    return drawn(
        title,
        f"{title}: at the end, {last}.",
        lambda axes: _overlay(axes, curves, tuple(colors), log=log),
        height=height,
        width=4.6,
        colors=colors,
    )


def _overlay(axes: "Axes", curves: Sequence[Curve], written: Sequence[str], *, log: bool) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter  # here, as in `charts.drawn`

    ends: list[tuple[float, float, str, str]] = []
    lowest = inf
    for index, (curve, color) in enumerate(zip(curves, written, strict=True)):
        points = [(x, y) for x, y in zip(curve.epochs, curve.values, strict=True) if isfinite(y) and (y > 0 or not log)]
        if not points:
            continue
        epochs, values = zip(*points, strict=True)
        lowest = min(lowest, *values)
        axes.plot(
            epochs,
            values,
            linestyle=_DASHES[(index + index // COLORS) % len(_DASHES)],
            color=color,
            linewidth=1.5,
            marker=_MARKERS[index % len(_MARKERS)],
            markersize=3.2,
            markevery=max(1, len(values) // 8),
        )
        ends.append((epochs[-1], values[-1], f"{curve.name} {_CROSS}" if curve.diverged else curve.name, color))
    if log:
        logarithmic(axes)
        low, high = axes.get_ylim()
        if lowest < _HIGHEST:  # otherwise, nothing would be left of the chart
            axes.set_ylim(low, min(high, _HIGHEST))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
    else:
        worst = min((value for _, value, *_ in ends), default=0.0)
        axes.set_ylim(max(0.0, floor(10 * worst) / 10 - 0.1), 1)  # what is read at a glance is the end
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.02)
    _name_ends(axes, ends)


def _name_ends(axes: "Axes", ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write each name right of the axes, as near to its line's end as the names around it allow."""
    across, up = axes.transAxes.inverted(), axes.transData
    bottom, top = axes.get_ylim()
    ends = [(x, min(max(y, bottom), top), name, color) for x, y, name, color in ends]
    latest = max((x for x, *_ in ends), default=0)
    places = [min(max(float(across.transform(up.transform((x, y)))[1]), 0.0), 1.0) for x, y, _, _ in ends]
    heights = apart(places, gap=min(0.072, 1 / max(len(ends), 1)))
    for (x, y, name, color), height in zip(ends, heights, strict=True):
        if name.endswith(_CROSS):
            axes.plot([x], [y], "x", color=color, markersize=7, markeredgewidth=2, clip_on=False, scaley=False)
        axes.annotate(
            name,
            xy=(x, y),
            xytext=(1.05, height),
            textcoords="axes fraction",
            fontsize=8,
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "linewidth": 0.7,
                "linestyle": "-" if x == latest else ":",  # across the chart, no line that looks like a curve
                "shrinkA": 1,
                "shrinkB": 2,
            },
        )
