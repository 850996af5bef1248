"""From a manifest and its measures to `report.html` and `card.md`. Their text is in `pipelines/report/templates/`."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from numpy.typing import NDArray

from core.artifact.manifest import Manifest, Robustness
from core.data.labeled import Labeled
from core.measure.corruptions import CORRUPTIONS
from core.measure.evaluate import Evaluation
from core.train.report import EpochReport
from pipelines.promotion.words import consulted_in_words
from pipelines.report import charts, layers, origin, pictures, reliability, tables
from pipelines.report.diagnosis import diagnose_all
from pipelines.report.escape import markdown
from pipelines.report.formats import (
    check_result,
    confidence,
    drawn_images,
    duration,
    number,
    percent,
    trusted,
    validated,
)
from pipelines.report.lower import lower


def render_report(
    manifest: Manifest,
    history: Sequence[EpochReport],
    evaluation: Evaluation,
    mistake_images: NDArray[np.uint8],
    first_layer: NDArray[np.float32] | None,
    drawn: Labeled | None = None,
    page: str = "",
) -> bytes:
    """The training report: one HTML page that loads nothing from the network. Equal input gives equal bytes.

    Args:
        manifest: Of the version, complete except for the entry of the report itself.
        history: The epochs of its training, in order; may be empty.
        evaluation: On the test set.
        mistake_images: (M, 28, 28) uint8, the test images of `evaluation.mistakes[:M]`, in that order.
        first_layer: (28, 28, units) float32, the weights of the first dense layer, or None if the network does not
            begin with a dense layer on 784 pixels.
        drawn: The drawn images that were trained on in addition to the data set, if any.
        page: The address of the page on which people draw, to link to; "" for none.

    Returns:
        UTF-8 HTML.

    Raises:
        ManifestError: The golden images and probabilities do not match.
    """
    labels = manifest.labels
    units = [] if first_layer is None else pictures.strongest(first_layer)
    classes = tables.classes(evaluation, manifest.validation, labels)
    template = templates().get_template("report.html.j2")
    return template.render(
        manifest=manifest,
        page=page,
        lower=lower(manifest),
        test=evaluation,
        wrong=tables.wrong_count(evaluation),
        seconds=sum(epoch.seconds for epoch in history),
        history=history,
        best_epoch=min(history, key=lambda epoch: epoch.validation_loss, default=None),
        charts=charts.learning_curves(history) if history else (),
        findings=diagnose_all(history),
        runs=sum(epoch.epoch == 1 for epoch in history),
        inside=layers.charts([step for epoch in _first_run(history) for step in epoch.diagnostics]),
        heat=tables.heat(evaluation),
        confusions=tables.top_confusions(evaluation, labels),
        classes=classes,
        class_axis=tables.Axis.of(row.interval[0] for row in classes if row.interval),
        diagram=reliability.diagram(evaluation),
        corrupted=_corrupted(manifest),
        corrupted_axis=tables.Axis.of(
            (manifest.test.interval[0], *(r.interval[0] for r in manifest.robustness.values()))
        ),
        mistakes=list(zip(evaluation.mistakes, map(pictures.digit, mistake_images), strict=False)),
        rejected=tables.rejected(manifest),
        drawn=[] if drawn is None else pictures.examples(drawn, labels),
        weights=None if first_layer is None else pictures.weight_strip(first_layer[..., units]),
        units=units,
        unit_count=0 if first_layer is None else first_layer.shape[-1],
        layers=origin.layers(manifest.architecture),
        settings=origin.settings(manifest.recipe),
        command=origin.retrain_command(manifest.recipe_name, manifest.recipe),
        golden=_golden(manifest),
    ).encode()


def render_card(manifest: Manifest) -> bytes:
    """The model card (Mitchell et al. 2019, "Model Cards for Model Reporting").

    Args:
        manifest: Of the version, complete except for the entry of the card itself.

    Returns:
        UTF-8 Markdown.
    """
    return (
        templates()
        .get_template("card.md.j2")
        .render(
            manifest=manifest,
            lower=lower(manifest),
            rejected=tables.rejected(manifest),
            layers=origin.layers(manifest.architecture),
            command=origin.retrain_command(manifest.recipe_name, manifest.recipe),
        )
        .encode()
    )


def _corrupted(manifest: Manifest) -> list[tuple[Robustness, str | None]]:
    """Each corruption's measures, and one golden image altered by it, or None if this code lacks the corruption."""
    images, _ = manifest.golden.arrays()
    image = images[-1:]  # (1, 28, 28)
    return [
        (found, pictures.digit(CORRUPTIONS[name].apply(image)[0]) if name in CORRUPTIONS else None)
        for name, found in manifest.robustness.items()
    ]


def _first_run(history: Sequence[EpochReport]) -> Sequence[EpochReport]:
    """All epochs; of an ensemble, whose members' epochs follow each other, those of the first member."""
    again = next((i for i, epoch in enumerate(history) if i and epoch.epoch == 1), len(history))
    return history[:again]


def _golden(manifest: Manifest) -> list[tuple[str, str, float]]:
    """Each golden input as its picture, the digit that is read and its probability."""
    images, probabilities = manifest.golden.arrays()
    best = probabilities.argmax(axis=1)
    return [
        (pictures.digit(image), manifest.labels[k], float(row[k]))
        for image, row, k in zip(images, probabilities, best, strict=True)
    ]


@cache
def templates() -> Environment:
    """The templates of all documents, with what they have in common."""
    environment = Environment(
        loader=PackageLoader("pipelines.report", "templates"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": percent,
        "confidence": confidence,
        "number": number,
        "duration": duration,
        "trusted": trusted,
        "validated": validated,
        "md": markdown,
        "result": check_result,
        "consulted": consulted_in_words,
    }
    environment.globals["drawn_images"] = drawn_images
    return environment
