"""The reliability diagram: is the network right as often as its confidence says?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.measure.evaluate import Bin, Evaluation
from pipelines.report.charts import INK, TRAIN, VALIDATION, Margins, drawn
from pipelines.report.formats import percent
from pipelines.report.powers import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def diagram(evaluation: Evaluation) -> Markup:
    """Accuracy against confidence, before and after temperature scaling.

    A second plot below it shows the number of readings at each confidence: most of MNIST is read with near certainty,
    and the few readings at the left have wide intervals.
    """
    before, after = percent(evaluation.raw_calibration_error), percent(evaluation.calibration_error)
    return drawn(
        "Reliability diagram",
        f"Reliability diagram: calibration error {before} at temperature 1, {after} as published.",
        lambda axes: _plot(axes, evaluation),
        height=4.4,
        margins=Margins(left=0.85),
    )


def _plot(axes: "Axes", evaluation: Evaluation) -> None:
    from matplotlib.ticker import PercentFormatter  # here, for the reason given in `charts.drawn`

    grid = axes.figure.add_gridspec(2, 1, height_ratios=(4, 1))
    axes.set_subplotspec(grid[0])
    axes.plot((0, 1), (0, 1), ":", color=INK, linewidth=1, label="as sure as right")
    _points(axes, evaluation.raw_reliability, "s", TRAIN, "none", "temperature 1")
    _points(axes, evaluation.reliability, "o", VALIDATION, VALIDATION, "as published")
    axes.set_ylabel("right")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.tick_params(labelbottom=False)
    axes.legend(loc="lower right")

    counts = axes.figure.add_subplot(grid[1], sharex=axes)
    counts.bar(
        [b.confidence for b in evaluation.reliability],
        [b.count for b in evaluation.reliability],
        width=0.03,
        color=VALIDATION,
    )
    logarithmic(counts)
    counts.set_ylim(bottom=0.5)  # so that a single reading is visible
    counts.set_ylabel("images")
    counts.set_xlabel("confidence")
    counts.set_xlim(0, 1.02)
    counts.xaxis.set_major_formatter(PercentFormatter(xmax=1))


def _points(axes: "Axes", bins: Sequence[Bin], marker: str, color: str, face: str, label: str) -> None:
    whiskers = [b.accuracy - b.interval[0] for b in bins], [b.interval[1] - b.accuracy for b in bins]
    axes.errorbar(
        [b.confidence for b in bins],
        [b.accuracy for b in bins],
        whiskers,
        fmt=marker,
        color=color,
        markerfacecolor=face,
        markersize=4.5,
        linewidth=1.2,
        label=label,
        clip_on=False,
    )
