"""The page that compares versions: one HTML file that loads nothing from the network."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from core.train.report import EpochReport
from pipelines.report import overlaid, pictures
from pipelines.report.overlaid import Curve
from pipelines.report.render import templates
from pipelines.versions.compared import Compared, Comparison

__all__ = ["render_comparison"]

_PARTS = {
    "recipe": "Recipe",
    "data": "Data",
    "code": "Code",
    "environment": "Software and machine",
    "network": "Network",
    "measures": "Measures",
}


def render_comparison(found: Comparison) -> bytes:
    """The page of a comparison. Equal input gives equal bytes.

    Args:
        found: At least two versions.

    Returns:
        UTF-8 HTML.
    """
    versions = found.versions
    page = templates().get_template("compare.html.j2")
    return page.render(
        found=found,
        versions=versions,
        first=versions[0],
        names=[f"version {v.manifest.version}" for v in versions],
        seconds=[sum(epoch.seconds for epoch in v.history) for v in versions],
        curves=[curve for curve in _curves(versions) if curve],
        without_history=[v.manifest.version for v in versions if not v.history],
        labels=versions[0].manifest.labels,
        lowest=[min(range(len(v.per_digit)), key=v.per_digit.__getitem__) for v in versions],
        corruptions=_corruptions(versions),
        cards=[(picture, pictures.digit(picture.image)) for picture in found.pictures],
        parts=[
            (v, [(heading, [c for c in v.changed if c.part == part]) for part, heading in _PARTS.items()])
            for v in versions[1:]
        ],
    ).encode()


def _curves(versions: Sequence[Compared]) -> list[Markup | None]:
    def of(value: Callable[[EpochReport], float]) -> dict[str, Curve]:
        # The epochs of an ensemble's members follow each other, so they are counted and not named by their number.
        return {
            f"version {v.manifest.version}": Curve(range(1, len(v.history) + 1), [value(e) for e in v.history])
            for v in versions
        }

    return [
        overlaid.chart("Validation loss, in nats", of(lambda e: e.validation_loss)),
        overlaid.chart("Validation accuracy", of(lambda e: e.validation_accuracy), shares=True),
        overlaid.chart("Training loss, in nats", of(lambda e: e.train_loss)),
        overlaid.chart("Learning rate at the end of each epoch", of(lambda e: e.learning_rate)),
    ]


def _corruptions(versions: Sequence[Compared]) -> list[tuple[str, list[float | None]]]:
    """Each alteration that any version was measured on, with the accuracy of each version."""
    names = dict.fromkeys(r.description for v in versions for r in v.manifest.robustness.values())
    rows = []
    for name in names:
        by = [{r.description: r.accuracy for r in v.manifest.robustness.values()} for v in versions]
        rows.append((name, [found.get(name) for found in by]))
    return rows
