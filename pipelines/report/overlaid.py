"""Curves of several runs in one chart, told apart by color, by dashes and by a name at the end of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipelines.report.charts import drawn
from pipelines.report.formats import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MOST", "Curve", "chart", "series"]

MOST = 8
"""Colors, of which the page's style sheet defines each as `--series-1` and so on. Further curves use them again."""

_DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)))


@dataclass(frozen=True)
class Curve:
    """One run's values.

    Attributes:
        places: The horizontal positions, such as epochs from 1.
        values: One for each; what is not finite leaves a gap.
    """

    places: Sequence[float]
    values: Sequence[float]


def series(index: int) -> str:
    """The page's color of the curve at this place, from 0."""
    return f"var(--series-{index % MOST + 1})"


def chart(title: str, curves: Mapping[str, Curve], *, shares: bool = False, along: str = "epoch") -> Markup | None:
    """One chart with a curve for each run.

    Args:
        title: Shown above it.
        curves: By the name of the run; an empty one is left out, but keeps its color.
        shares: Whether the values are shares, shown in percent.
        along: What the horizontal axis shows.

    Returns:
        An `<svg>` element, whose accessible name says the last value of each; None if there is nothing to draw.
    """
    written = {name: f"#0002{index:02x}" for index, name in enumerate(curves)}
    shown = {name: curve for name, curve in curves.items() if any(map(isfinite, curve.values))}
    if not shown:
        return None
    form = percent if shares else number
    last = ", ".join(f"{name} {form(curve.values[-1])}" for name, curve in shown.items())
    return drawn(
        title,
        f"{title}: at the end, {last}.",
        lambda axes: _plot(axes, curves, written, shares=shares, along=along),
        height=3.2,
        colors={color: series(index) for index, color in enumerate(written.values())},
    )


def _plot(axes: "Axes", curves: Mapping[str, Curve], written: Mapping[str, str], *, shares: bool, along: str) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # here, for the reason given in `charts.drawn`

    for index, (name, curve) in enumerate(curves.items()):
        if not any(map(isfinite, curve.values)):
            continue
        style = _DASHES[index % len(_DASHES)]
        dots = "o" if len(curve.values) == 1 else None  # one epoch makes no line
        axes.plot(
            curve.places,
            curve.values,
            linestyle=style,
            marker=dots,
            markersize=4,
            color=written[name],
            linewidth=1.7,
            label=name,
        )
    axes.set_xlabel(along)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if shares:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.margins(x=0.02)
    axes.legend(fontsize=8, handlelength=3.2)
