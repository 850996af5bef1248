"""What Prefect's pages show of a retraining: the verdict, the learning curves, the confusion matrix, the model card."""

from collections.abc import Sequence

from core.artifact.manifest import Manifest
from core.measure.evaluate import Evaluation
from core.train.report import EpochReport
from pipelines.engine.events import Shown
from pipelines.report import charts
from pipelines.report.escape import markdown
from pipelines.report.formats import check_result, percent
from pipelines.retrain.retrained import Retrained

__all__ = ["exhibits", "name_of", "tags_of", "verdict_of"]


def exhibits(manifest: Manifest, history: Sequence[EpochReport], test: Evaluation, card: str) -> list[Shown]:
    """What can be shown once a version is published.

    Args:
        manifest: Of the version.
        history: The epochs of its training.
        test: What was measured on the test images.
        card: Its model card, in Markdown.
    """
    version = f"version {manifest.version}"
    found = [
        Shown("confusion", f"Test images of {version}: what they show, by what was read.", _rows(test)),
        Shown("model-card", f"The model card of {version}.", card),
    ]
    if history:
        found.insert(0, Shown("learning-curves", f"Loss, accuracy and learning rate of {version}.", _curves(history)))
    return found


def verdict_of(result: Retrained) -> Shown:
    """What the gate found, and what became of the version."""
    checks = [
        f"| {markdown(check.name)} | {check_result(check.passed)} | {markdown(check.words)} |"
        for check in result.verdict.checks
    ]
    table = ["| check | result | finding |", "|---|---|---|", *checks, ""] if checks else []
    report = [f"Report: {_linked(result.report)}"] if result.report else []
    heading = f"# {result.sentence[:1].upper()}{result.sentence[1:]}"
    lines = [heading, "", markdown(result.rejected or result.verdict.reason), "", *table, *report]
    return Shown("verdict", "Whether the version is the champion, and why.", "\n".join(lines))


def name_of(result: Retrained, asked: str) -> str:
    """What the run is called in lists once it is over.

    Args:
        result: What came of it.
        asked: What it was called until then: the recipe, with its overrides.
    """
    if result.version is None:
        return f"{asked} → dry run"
    standing = "champion" if result.promoted else "canary" if result.canary else result.outcome
    standing = "unchanged" if result.outcome == "unchanged" else standing
    return f"{asked} → version {result.version}, {standing}"


def tags_of(result: Retrained) -> tuple[str, ...]:
    """By which runs can be filtered."""
    promoted = ["promoted"] if result.promoted and result.outcome == "published" else []
    return (f"recipe:{result.recipe}", result.outcome, *promoted)


def _rows(test: Evaluation) -> list[dict[str, object]]:
    rows = []
    for digit, row in enumerate(test.confusion):
        right = percent(row[digit] / sum(row) if sum(row) else None)
        rows.append({"shows": digit, **{f"read as {read}": count for read, count in enumerate(row)}, "correct": right})
    return rows


def _curves(history: Sequence[EpochReport]) -> str:
    last = history[-1]
    images = [f"![{name}]({charts.as_image(chart)})" for name, chart in charts.named_curves(history).items()]
    words = (
        f"After epoch {last.epoch}: training loss {last.train_loss:.4f}, validation loss {last.validation_loss:.4f}, "
        f"validation accuracy {last.validation_accuracy:.2%}."
    )
    return "\n\n".join([words, *images])


def _linked(report: str) -> str:
    """A browser opens no file of this machine from a page of a server, so a path is shown to be copied."""
    return f"`{report}`" if report.startswith("/") else f"[{markdown(report)}]({report})"
