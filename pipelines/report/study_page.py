"""The page of a study: one HTML file that loads nothing from the network."""

import shlex
from math import isfinite

from pipelines.report.formats import number
from pipelines.report.render import templates
from pipelines.report.study_charts import COLORS, Curve, overlaid
from pipelines.report.study_layers import layer_charts
from pipelines.report.tables import Axis
from pipelines.study.comparison import Comparison
from pipelines.study.conduct import Row
from pipelines.study.variant import Variant

__all__ = ["render_study"]


def render_study(compared: Comparison) -> bytes:
    """The question, the curves of all variants, what was found, and the command that trains each variant in full.

    Args:
        compared: At least one variant.

    Returns:
        UTF-8 HTML. Equal input gives equal bytes.
    """
    rows = compared.rows
    one_epoch = max(len(row.outcome.history) for row in rows) == 1
    page = templates().get_template("study.html.j2")
    return page.render(
        question=compared.question,
        epochs=compared.question.epochs,
        conclusions=compared.conclusions,
        rows=rows,
        outcomes=[row.outcome for row in rows],
        validation_images=rows[0].outcome.validation_images,
        seconds=sum(row.outcome.seconds for row in rows),
        curves=[] if all(not row.outcome.history for row in rows) else _curves(rows, one_epoch=one_epoch),
        unseen=[row.variant.name for row in rows if not row.outcome.history],
        layers=layer_charts({row.variant.name: row.outcome for row in rows}),
        axis=Axis.of(row.outcome.interval[0] for row in rows if row.outcome.interval),
        command=command,
        loss=_loss,
        colors=COLORS,
    ).encode()


def command(variant: Variant) -> str:
    """The shell command that trains a variant on all images, and publishes it without promoting it."""
    overrides = [f"--set {shlex.quote(override)}" for override in variant.overrides]
    start = f"python -m pipelines retrain --recipe {shlex.quote(variant.recipe)} --promote never"
    return " \\\n    ".join([start, *overrides])


def _curves(rows: tuple[Row, ...], *, one_epoch: bool) -> list[str]:
    """Training loss, validation loss and validation accuracy of all variants."""

    def trained(row: Row) -> Curve:
        history = row.outcome.history
        values = [report.train_loss for report in history]
        return Curve(row.variant.name, range(1, len(values) + 1), values, diverged=row.outcome.diverged is not None)

    def validated(row: Row, first: float, values: list[float]) -> Curve:
        return Curve(row.variant.name, range(len(values) + 1), [first, *values], row.outcome.diverged is not None)

    losses = [
        validated(row, row.outcome.initial_loss, [e.validation_loss for e in row.outcome.history]) for row in rows
    ]
    accuracies = [
        validated(row, row.outcome.initial_accuracy, [e.validation_accuracy for e in row.outcome.history])
        for row in rows
    ]
    # After a single epoch, the training loss is a point, not a curve.
    training = [] if one_epoch else [overlaid("Training loss, in nats", [trained(row) for row in rows], log=True)]
    return [
        *training,
        overlaid("Validation loss, in nats", losses, log=True),
        overlaid("Validation accuracy", accuracies, log=False),
    ]


def _loss(value: float | None) -> str:
    """A loss in a table cell; a dash if there is none, and in words if it is no number."""
    if value is None:
        return "–"
    return number(value, 3) if isfinite(value) else "infinite"
