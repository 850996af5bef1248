"""Learning curves and the reliability diagram."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from core.train.evaluate import Bin, Evaluation
from core.train.loop import EpochReport
from pipelines.report.drawing import INK, TRAIN, VALIDATION, draw
from pipelines.report.formats import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class _Line:
    label: str
    color: str
    style: str
    values: Sequence[float]


def learning_curves(history: Sequence[EpochReport]) -> tuple[Markup, ...]:
    """Loss, accuracy and learning rate by epoch.

    Args:
        history: At least one epoch.

    Returns:
        Three `<svg>` elements. The accessible name of each is its title and its last values.
    """
    epochs = [epoch.epoch for epoch in history]
    loss = _pair([e.train_loss for e in history], [e.validation_loss for e in history])
    accuracy = _pair([e.train_accuracy for e in history], [e.validation_accuracy for e in history])
    rate = [_Line("learning rate", INK, "-", [e.learning_rate for e in history])]
    return (
        _draw("Loss, in nats", epochs, loss, from_zero=True),
        _draw("Accuracy", epochs, accuracy, percent=True),
        _draw("Learning rate at the end of each epoch", epochs, rate, from_zero=True, height=2.1),
    )


def _pair(train: Sequence[float], validation: Sequence[float]) -> list[_Line]:
    # Told apart by the dashes as well: color alone does not reach every reader, nor every printer.
    return [_Line("training", TRAIN, "--", train), _Line("validation", VALIDATION, "-", validation)]


def _draw(
    title: str,
    epochs: Sequence[int],
    lines: Sequence[_Line],
    *,
    from_zero: bool = False,
    percent: bool = False,
    height: float = 2.9,
) -> Markup:
    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        axes = figure.subplots()
        _plot(axes, epochs, lines)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if from_zero:
            axes.set_ylim(bottom=0)
        if percent:
            axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))

    last = ", ".join(f"{line.label} {number(line.values[-1])}" for line in lines)
    return draw(paint, title=title, name=f"{title}: after epoch {epochs[-1]}, {last}.", height=height)


def _plot(axes: "Axes", epochs: Sequence[int], lines: Sequence[_Line]) -> None:
    dots = "o" if len(epochs) <= 40 else None
    for line in lines:
        axes.plot(
            epochs,
            line.values,
            line.style,
            color=line.color,
            marker=dots,
            markersize=3,
            linewidth=1.8,
            label=line.label,
            clip_on=False,  # a line along the axis keeps its full width
        )
    axes.margins(x=0.02)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
    if len(lines) > 1:
        axes.legend()


def reliability_diagram(evaluation: Evaluation) -> Markup:
    """How often readings are right, over how sure they are, before and after the temperature was set.

    Below it, how many readings there are of each confidence: most of MNIST is read with near certainty, and the few
    readings at the left leave wide intervals.
    """

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import PercentFormatter

        points, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        points.plot((0, 1), (0, 1), ":", color=INK, linewidth=1, label="as sure as right")
        _points(points, evaluation.raw_reliability, "s", TRAIN, "temperature 1", hollow=True)
        _points(points, evaluation.reliability, "o", VALIDATION, "as published", hollow=False)
        points.set_ylabel("right")
        points.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        points.legend(loc="lower right")
        confidence = [b.confidence for b in evaluation.reliability]
        counts.bar(confidence, [b.count for b in evaluation.reliability], 0.03, color=VALIDATION)
        counts.set_yscale("log")
        counts.set_ylim(bottom=0.5)
        counts.set_ylabel("images")
        counts.set_xlabel("confidence")
        counts.set_xlim(0, 1.02)
        counts.xaxis.set_major_formatter(PercentFormatter(xmax=1))

    errors = f"{percent(evaluation.raw_calibration_error)} at temperature 1, {percent(evaluation.calibration_error)}"
    title = "Reliability diagram"
    return draw(paint, title=title, name=f"{title}: calibration error {errors} as published.", height=4.4)


def _points(axes: "Axes", bins: Sequence[Bin], marker: str, color: str, label: str, *, hollow: bool) -> None:
    accuracy = [b.accuracy for b in bins]
    below, above = [b.accuracy - b.interval[0] for b in bins], [b.interval[1] - b.accuracy for b in bins]
    axes.errorbar(
        [b.confidence for b in bins],
        accuracy,
        (below, above),
        fmt=marker,
        color=color,
        markerfacecolor="none" if hollow else color,
        markersize=4.5,
        linewidth=1.2,
        label=label,
        clip_on=False,
    )
