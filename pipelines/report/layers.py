"""Charts of each layer during training: gradients, updates, outputs and idle units, over the steps."""

from collections.abc import Callable, Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.train.diagnostics import LayerDiagnostics, StepDiagnostics
from pipelines.report.charts import Margins, drawn
from pipelines.report.formats import number
from pipelines.report.powers import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES = ("-", "--", "-.", ":")
"""Line styles distinguish neighboring layers as well: not every reader and not every printer sees color."""

_Measure = Callable[[LayerDiagnostics], float | None]


def charts(steps: Sequence[StepDiagnostics]) -> tuple[Markup, ...]:
    """Gradient norms, update ratios, spread of the outputs, and idle units, by step.

    Args:
        steps: In order; may be empty.

    Returns:
        An `<svg>` element for each of these four that at least one layer has. Its accessible name is the title and the
        last values.
    """
    drawings = (
        _chart("Length of the gradient", steps, lambda layer: layer.gradient_norm, log=True),
        _chart("Update, as a share of the weights", steps, lambda layer: layer.update_ratio, log=True),
        _chart("Spread of the outputs, in layers with weights", steps, _spread, log=True),
        _chart("Idle units", steps, lambda layer: layer.idle, log=False),
    )
    return tuple(chart for chart in drawings if chart is not None)


def _spread(layer: LayerDiagnostics) -> float | None:
    """Only of layers with parameters: after an activation, the standard deviation is always smaller."""
    return None if layer.gradient_norm is None else layer.std


def _chart(title: str, steps: Sequence[StepDiagnostics], measure: _Measure, *, log: bool) -> Markup | None:
    lines: dict[str, list[float]] = {}
    for step in steps:
        for layer in step.layers:
            value = measure(layer)
            # A value that has no logarithm leaves a gap in its line.
            lines.setdefault(layer.name, []).append(nan if value is None or (log and value <= 0) else value)
    lines = {name: values for name, values in lines.items() if any(map(isfinite, values))}
    if not lines:
        return None
    written = {name: f"#0001{index:02x}" for index, name in enumerate(lines)}
    last = ", ".join(f"{name} {number(values[-1])}" for name, values in lines.items())
    return drawn(
        title,
        f"{title}: at step {steps[-1].step}, {last}.",
        lambda axes: _plot(axes, [step.step for step in steps], lines, written, log=log),
        height=3.4,
        margins=Margins(right=0.5 + 0.07 * max(map(len, lines))),  # for the legend
        colors={color: _shade(index / max(len(lines) - 1, 1)) for index, color in enumerate(written.values())},
    )


def _plot(
    axes: "Axes", steps: Sequence[int], lines: dict[str, list[float]], written: dict[str, str], *, log: bool
) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter  # here, for the reason given in `charts.drawn`

    for index, (name, values) in enumerate(lines.items()):
        style = _STYLES[index % len(_STYLES)]
        axes.plot(steps, values, style, color=written[name], linewidth=1.6, label=name)
    if log:
        logarithmic(axes)
    else:
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))  # steps have up to five digits
    axes.margins(x=0.02)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)


def _shade(depth: float) -> str:
    """A color between two of the page's, from the first layer (0) to the last (1)."""
    return f"color-mix(in oklab, var(--validation) {depth:.0%}, var(--train))"
