"""Logarithmic axes, whose ticks are written as 10⁻³."""

from collections.abc import Sequence
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["logarithmic", "power"]

_DECADE = 10

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def logarithmic(axes: "Axes") -> None:
    """Make the vertical axis logarithmic.

    matplotlib's own labels are formulas, and it makes eight ticks in every decade: both take it more time than all else
    in a chart. What is written here can be searched for and read aloud, too.
    """
    from matplotlib.ticker import FuncFormatter, LogFormatter, LogLocator  # here: see `charts.drawn`

    class Between(LogLocator):
        """Ticks between the powers of ten, where there are not two of these."""

        def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
            return super().tick_values(vmin, vmax) if vmax < _DECADE * vmin else []

    class Few(LogFormatter):
        """Labels as many of them as matplotlib would."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return power(x) if super().__call__(x, pos) else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: power(x)))
    axes.yaxis.set_minor_locator(Between(subs=range(2, 10)))
    axes.yaxis.set_minor_formatter(Few(labelOnlyBase=False, minor_thresholds=(1, 0.4)))


def power(x: float) -> str:
    """A positive number as a power of ten: "10⁻³", "2×10⁻³"; 1 and 10 as they are."""
    exponent = floor(log10(x) + 1e-9)  # 0.001 has the logarithm −2.9999999999999996
    if 0 <= exponent <= 1:
        return f"{x:g}"
    mantissa = f"{x / 10.0**exponent:.3g}"
    raised = f"10{str(exponent).translate(_RAISED)}"
    return raised if mantissa == "1" else f"{mantissa}×{raised}"
