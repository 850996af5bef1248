"""What Prefect's pages show of a retraining."""

import base64
from pathlib import Path
from xml.dom import minidom

import pytest

from core.artifact.manifest import Manifest
from pipelines.engine.events import Shown
from pipelines.order import Order
from pipelines.promotion.advance import Advance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import promoting, steps, training
from pipelines.retrain.exhibits import exhibits, name_of, tags_of, verdict_of
from pipelines.retrain.retrained import Outcome, Retrained
from tests.pipelines.runs import run_in


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data")


@pytest.fixture
def published(order: Order, dataset: DatasetRef, recipe: Recipe, work: Path) -> tuple[Manifest, list[Shown]]:
    """A version, and what is shown of it."""
    run = run_in(work, dataset, recipe)
    preprocessing = steps.fit_normalizer(run)
    trained = training.train(run.dataset, preprocessing, run.recipe, run.work, lambda report: None)
    evaluations = steps.evaluate(run, preprocessing, trained)
    verdict = promoting.judge(order, run, preprocessing, trained, evaluations)
    manifest = steps.publish(order, run, preprocessing, trained, evaluations, verdict)
    measured = steps.EVALUATIONS.validate_json(evaluations.read())
    history = training.HISTORY.validate_json(trained.history.read())
    return manifest, exhibits(manifest, history, measured.test, "# A card")


def result(manifest: Manifest, order: Order, dataset: DatasetRef, outcome: Outcome, advance: Advance) -> Retrained:
    return Retrained.published(outcome, manifest, advance, dataset, order.store, {})


def test_curves_confusion_and_card_are_shown_with_a_description(published: tuple[Manifest, list[Shown]]) -> None:
    curves, confusion, card = published[1]
    assert [one.key for one in published[1]] == ["learning-curves", "confusion", "model-card"]
    assert all("version 1" in one.description for one in published[1])
    assert isinstance(curves.content, str)
    assert curves.content.startswith("After epoch 3: training loss ")
    images = [line.partition("base64,")[2].rstrip(")") for line in curves.content.splitlines() if "base64," in line]
    assert len(images) == 3
    for image in images:
        assert minidom.parseString(base64.b64decode(image)).documentElement.tagName == "svg"
        assert b"var(--" not in base64.b64decode(image), "only a page knows its variables"
    assert isinstance(confusion.content, list)
    assert sum(row[f"read as {read}"] for row in confusion.content for read in range(10)) == 200
    assert card.content == "# A card"


def test_the_verdict_says_why_with_every_check_and_where_the_report_is(
    published: tuple[Manifest, list[Shown]], order: Order, dataset: DatasetRef
) -> None:
    manifest, _ = published
    found = verdict_of(result(manifest, order, dataset, "rejected", Advance(promoted=False, rejected="it is *worse*")))
    assert isinstance(found.content, str)
    lines = found.content.splitlines()
    assert lines[0].startswith("# Rejected: version 1, not the champion, test accuracy ")
    assert "it is \\*worse\\*" in lines
    assert sum(line.startswith("| ") and not line.startswith("| check ") for line in lines) == len(
        manifest.verdict.checks
    )
    assert lines[-1] == f"Report: `{order.repository}/mnist/1/report.html`"


@pytest.mark.parametrize(
    ("outcome", "advance", "name", "tags"),
    [
        ("published", Advance(promoted=True), "mlp → version 1, champion", ("recipe:mlp", "published", "promoted")),
        ("published", Advance(promoted=False), "mlp → version 1, published", ("recipe:mlp", "published")),
        (
            "published",
            Advance(promoted=False, canary=True, begun=True),
            "mlp → version 1, canary",
            ("recipe:mlp", "published"),
        ),
        (
            "rejected",
            Advance(promoted=False, rejected="worse"),
            "mlp → version 1, rejected",
            ("recipe:mlp", "rejected"),
        ),
        ("unchanged", Advance(promoted=True), "mlp → version 1, unchanged", ("recipe:mlp", "unchanged")),
    ],
)
def test_a_finished_run_is_named_after_its_version_and_tagged_with_its_outcome(
    published: tuple[Manifest, list[Shown]],
    order: Order,
    dataset: DatasetRef,
    outcome: Outcome,
    advance: Advance,
    name: str,
    tags: tuple[str, ...],
) -> None:
    ended = result(published[0], order, dataset, outcome, advance)
    assert (name_of(ended, order.title), tags_of(ended)) == (name, tags)


def test_a_dry_run_is_called_one(published: tuple[Manifest, list[Shown]], order: Order, dataset: DatasetRef) -> None:
    known = result(published[0], order, dataset, "published", Advance(promoted=False))
    ended = known.model_copy(update={"outcome": "dry_run", "version": None})
    assert (name_of(ended, order.title), tags_of(ended)) == ("mlp → dry run", ("recipe:mlp", "dry_run"))
    assert ended.sentence.startswith("dry run: nothing published, not the champion, ")
