"""What reaches the training of new pictures, and what the manifest says about it."""

from pathlib import Path

import numpy as np
import pytest

from core.artifact.manifest import Manifest
from core.data.labeled import Labeled
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines.new_data.admission import admit
from pipelines.new_data.reviews import Reviews
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import steps
from pipelines.settings import Settings
from tests.pipelines.new_data.new_items import items_of, mislabeled, written
from tests.pipelines.runs import publish, run_in

PRETRAINED = Settings().pretrained


@pytest.fixture
def roomy(recipe: Recipe) -> Recipe:
    """The small recipe, with caps for its 500 training images that admit some hundred pictures."""
    trust = recipe.data.trust.model_copy(update={"cap": 1.0, "source_cap": 1.0, "digit_cap": 1.0})
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"trust": trust})})


def test_nothing_of_a_poisoned_source_is_admitted(dataset: DatasetRef, roomy: Recipe, tmp_path: Path) -> None:
    honest = written(200)
    shifted = Labeled(np.roll(honest.images, 3, 2), honest.labels)
    for poison in (mislabeled(shifted), mislabeled(honest, share=0.2)):
        said: list[str] = []
        found = admit(items_of(poison), dataset, roomy, tmp_path, PRETRAINED, said.append)
        assert not found.items
        assert found.trusted is not None
        assert (found.trusted.offered, found.trusted.accepted) == (200, 0)
        assert any(line.startswith("held as a whole: feedback /somewhere: ") for line in said)
        assert any("python -m pipelines feedback list --page" in line for line in said)


def test_honest_pictures_are_admitted(dataset: DatasetRef, roomy: Recipe, tmp_path: Path) -> None:
    said: list[str] = []
    found = admit(items_of(written(200)), dataset, roomy, tmp_path, PRETRAINED, said.append)
    assert len(found.items) >= 196
    assert found.validated.new is not None
    assert any("new pictures are trusted; judge: pretrained version 1, recipe cnn" in line for line in said)


def test_new_pictures_that_validation_sets_aside_are_not_admitted(
    dataset: DatasetRef, roomy: Recipe, tmp_path: Path
) -> None:
    dark = Labeled(255 - written(50).images, written(50).labels)
    nobody = roomy.data.trust.model_copy(update={"judge": "none"})
    recipe = roomy.model_copy(update={"data": roomy.data.model_copy(update={"trust": nobody})})
    said: list[str] = []
    found = admit(items_of(dark), dataset, recipe, tmp_path, PRETRAINED, said.append)
    assert (len(found.items), found.validated.verdict) == (0, "set aside")
    assert said[0] == "trust: 50 of 50 new pictures are trusted; no judge (data.trust.judge)"
    assert said[-1].startswith("the new pictures are set aside: their mean ink is 2")


def test_a_picture_that_a_person_accepts_is_admitted_at_the_next_run(
    dataset: DatasetRef, roomy: Recipe, tmp_path: Path
) -> None:
    [item] = items_of(mislabeled(written(1)))
    assert not admit([item], dataset, roomy, tmp_path, PRETRAINED, print).items
    Reviews(tmp_path).accept([item.name])
    found = admit([item], dataset, roomy, tmp_path, PRETRAINED, print)
    assert found.items == (item,)
    assert found.trusted is not None
    assert found.trusted.by_reviewers == 1


def test_the_manifest_records_the_judge_and_what_was_set_aside(
    dataset: DatasetRef, roomy: Recipe, tmp_path: Path
) -> None:
    folder = FeedbackFolder(tmp_path / "feedback")
    for item in [*items_of(written(3)), *items_of(mislabeled(written(2, start=3)))]:
        folder.add(FeedbackItem(digit=item.label, pixels=item.image.tobytes(), received="2026-11-30T00:00Z"))
    order = Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data", feedback=folder.path)
    admitted = steps.gather(order, roomy, dataset)
    manifest = publish(order, run_in(tmp_path / "work" / "run", admitted, roomy))
    data = Manifest.decode(manifest.encode()).data
    assert data.trusted is not None
    assert (data.trusted.offered, data.trusted.accepted, data.trusted.left_out) == (5, 3, {"contradicted": 2})
    assert data.trusted.judge == "pretrained version 1, recipe cnn"
    assert data.new_data is not None
    assert data.new_data.images + data.new_data.held_out_images == 3
    assert data.validated is not None
    assert data.validated.data_set.count == 500
    report, card = (order.store.read(manifest, name).decode() for name in ("report.html", "card.md"))
    for document in (report, card):
        assert "3 of 5 new pictures were trusted" in document


def test_the_fingerprint_is_decided_by_what_is_admitted_alone(
    dataset: DatasetRef, roomy: Recipe, tmp_path: Path
) -> None:
    folder = FeedbackFolder(tmp_path / "feedback")
    order = Order(data_dir=tmp_path / "data", feedback=folder.path)

    def deciding() -> dict[str, str]:
        return steps.gather(order, roomy, dataset).deciding

    before = deciding()
    [bad] = items_of(mislabeled(written(1)))
    folder.add(FeedbackItem(digit=bad.label, pixels=bad.image.tobytes(), received="2026-11-30T00:00Z"))
    assert deciding() == before == dataset.digests
    [good] = items_of(written(1, start=1))
    folder.add(FeedbackItem(digit=good.label, pixels=good.image.tobytes(), received="2026-11-30T00:00Z"))
    assert deciding() != before
