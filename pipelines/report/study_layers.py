"""The layers of each variant of a study, in small charts of one scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.train.diagnostics import MOST_PARAMETERS, LayerDiagnostics, kind_of
from pipelines.report.charts import INK, LINE, TRAIN, VALIDATION, drawn
from pipelines.report.formats import number
from pipelines.report.powers import logarithmic
from pipelines.study.variant_outcome import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["layer_charts"]


@dataclass(frozen=True)
class _Measure:
    """What is shown of each layer.

    Attributes:
        concerns: Whether a layer has a place in the chart, with a value or without.
        of: Its value; None if it has none.
        log: Whether the axis is logarithmic; otherwise it is in percent.
        undefined: Why a variant whose layers were measured has no value at all.
    """

    concerns: Callable[[LayerDiagnostics], bool]
    of: Callable[[LayerDiagnostics], float | None]
    log: bool = True
    undefined: str = "not defined for its layers"


def layer_charts(outcomes: Mapping[str, Outcome]) -> dict[str, list[tuple[str, Markup | str]]]:
    """Each measure of the layers, by its title: a small chart for each variant, all of one scale.

    Args:
        outcomes: By the variants' names, which are different.

    Returns:
        For each measure that at least one variant has: the variants' names and charts; for a variant that lacks it, the
        reason instead, as plain text.
    """
    measures = {
        "Length of the gradient": _Measure(_multiplies, lambda layer: layer.gradient_norm),
        "Update, as a share of the weights": _Measure(
            _multiplies,
            lambda layer: layer.update_ratio,
            undefined="not defined for its layers: a share of weights that are all 0",
        ),
        "Idle units": _Measure(
            lambda layer: layer.idle is not None,
            lambda layer: layer.idle,
            log=False,
            undefined="not defined for its layers: defined for ReLU, tanh and sigmoid alone",
        ),
    }
    return {title: charts for title, measure in measures.items() if (charts := _small(title, outcomes, measure))}


def _multiplies(layer: LayerDiagnostics) -> bool:
    """Whether it multiplies by weights: the scales and offsets of a batch norm are of another size."""
    return kind_of(layer.name) in ("dense", "conv2d")


def _small(title: str, outcomes: Mapping[str, Outcome], measure: _Measure) -> list[tuple[str, Markup | str]]:
    """A chart for each variant: the measure by layer, at the first look and at the last one."""
    looks = {name: _first_and_last(outcome, measure) for name, outcome in outcomes.items()}
    values = [v for pair in looks.values() for row in pair for v in row if isfinite(v) and (v > 0 or not measure.log)]
    if not values:
        return []
    deepest = max(len(row) for pair in looks.values() for row in pair)
    limits = (min(values) / 2, max(values) * 2) if measure.log else (-0.03, 1.03)

    def chart(name: str, pair: Sequence[Sequence[float]]) -> Markup | str:
        if not any(isfinite(v) for row in pair for v in row):
            return _why_none(outcomes[name], measure)
        spoken = ", ".join(f"layer {i} {number(v, 2)}" for i, v in enumerate(pair[-1], start=1) if isfinite(v))
        return drawn(
            name,
            f"{title}, {name}: at the last look, {spoken or 'nothing'}.",
            lambda axes: _by_layer(axes, pair, deepest, limits, log=measure.log),
            height=1.75,
            width=2.6,
        )

    return [(name, chart(name, pair)) for name, pair in looks.items()]


def _by_layer(
    axes: "Axes", pair: Sequence[Sequence[float]], deepest: int, limits: tuple[float, float], *, log: bool
) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, PercentFormatter  # here, as in `charts.drawn`

    for row, style in zip(pair, ("--", "-"), strict=True):
        color, face = (TRAIN, "none") if style == "--" else (VALIDATION, VALIDATION)
        axes.plot(
            range(1, len(row) + 1),
            [v if v > 0 or not log else nan for v in row],  # no line crosses a layer without a value
            style,
            color=color,
            marker="o",
            markersize=3.5,
            markerfacecolor=face,
            linewidth=1.4,
        )
    if log:
        logarithmic(axes)
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
        axes.minorticks_off()
    else:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.set_ylim(*limits)
    axes.set_xlim(0.6, deepest + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.tick_params(colors=LINE, labelcolor=INK, labelsize=9)


def _first_and_last(outcome: Outcome, measure: _Measure) -> tuple[list[float], list[float]]:
    """The measure of each layer that it concerns, the first layer first, at the first look and at the last one.

    Both have a place for each of these layers, nan where there is no value: a layer whose weights are all 0 has no
    update ratio.
    """
    looks = [step for report in outcome.history for step in report.diagnostics]
    if not looks:
        return [], []
    first, last = (
        [nan if (v := measure.of(layer)) is None else v for layer in step.layers if measure.concerns(layer)]
        for step in (looks[0], looks[-1])
    )
    return first, last


def _why_none(outcome: Outcome, measure: _Measure) -> str:
    """Why a variant has no value of a measure, for people."""
    if any(report.diagnostics for report in outcome.history):
        return measure.undefined
    if not outcome.history:
        return "not measured: no epoch was whole"
    return f"not measured: train.diagnose_every is 0, or the network has over {MOST_PARAMETERS:,} parameters"
