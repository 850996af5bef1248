"""Drawn images: some train after the data set's own, others are held out to fit and to measure the rejection."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from core.artifact.manifest import Manifest
from core.data.labeled import Labeled
from core.digit import NO_DIGIT
from core.drawing.drawn import drawn
from core.inference.predict import load
from core.measure.rejection import share_rejected
from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.retrain import steps, styles, training
from pipelines.retrain.measures import rejected_shares
from pipelines.sections import HELD_OUT_SEED
from tests.pipelines.runs import publish, run_in

SMALL = [
    *("data.validation_images=100", "train.epochs=2", "model.layers.0.units=16", "promotion.min_accuracy=0"),
    *("data.styles={digits=30, others=40, seed=3}", 'train.loss={kind="open_set_cross_entropy"}'),
]


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe("mlp", SMALL)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(steps, "say", lines.append)
    return lines


def test_drawn_images_follow_the_training_split_and_are_in_no_other_set(
    dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    run = steps.draw(run_in(work, dataset, recipe))
    images, labels = training.train_split(run.dataset, recipe)
    expected = drawn(30, 40, 3)
    np.testing.assert_array_equal(images[500:], expected.images)
    np.testing.assert_array_equal(labels[500:], expected.labels)
    assert np.count_nonzero(labels == NO_DIGIT) == 40
    train, validation = training.batches(run.dataset, steps.fit_normalizer(run), recipe, training.begin(recipe))
    assert sum(len(batch) for _, batch in train) == 500 + 70
    assert sorted(np.concatenate([batch for _, batch in train])) == sorted(labels)
    assert all(NO_DIGIT not in batch for _, batch in validation)


def test_drawn_images_are_shuffled_among_the_others(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    run = steps.draw(run_in(work, dataset, recipe))
    train, _ = training.batches(run.dataset, steps.fit_normalizer(run), recipe, training.begin(recipe))
    labels = np.concatenate([batch for _, batch in train])
    assert 0 < np.count_nonzero(labels[:285] == NO_DIGIT) < 40


def test_a_recipe_without_drawn_images_draws_none(dataset: DatasetRef, work: Path, said: list[str]) -> None:
    run = run_in(work, dataset, load_recipe("mlp"))
    assert steps.draw(run) is run
    assert said == []


def test_images_that_an_interrupted_run_has_drawn_are_reused_unless_they_were_damaged(
    dataset: DatasetRef, recipe: Recipe, work: Path, said: list[str]
) -> None:
    first = steps.draw(run_in(work, dataset, recipe)).dataset.styles
    assert first is not None
    assert said[0].startswith("drawing: 30 digits in writing styles that MNIST lacks and 40 images that show no digit")
    assert said[1].startswith("drawn: 30 digits")
    said.clear()
    assert steps.draw(run_in(work, dataset, recipe)).dataset.styles == first
    assert said == ["drawn: an earlier run was interrupted after drawing; its images are reused"]
    first.path.write_bytes(first.path.read_bytes()[:-1])
    assert steps.draw(run_in(work, dataset, recipe)).dataset.styles == first
    assert first.holds()


def test_nothing_is_left_of_drawn_images_after_the_run(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    run = steps.draw(run_in(work, dataset, recipe))
    training.clear(run.dataset, recipe, run.work)
    assert not work.exists()


def test_images_held_out_are_neither_trained_on_nor_used_twice_and_are_the_same_for_every_seed() -> None:
    def pictures(images: Labeled) -> set[bytes]:
        return {image.tobytes() for image in images.images}

    recipes = [load_recipe("mlp", [*SMALL, f"data.styles.seed={seed}"]) for seed in (3, HELD_OUT_SEED - 1)]
    first, second = (styles.held_out(recipe.data.styles) for recipe in recipes)
    assert len(first.fitting) == len(first.measuring) == 70
    assert not pictures(first.fitting) & pictures(first.measuring)
    assert not pictures(drawn(30, 40, 3)) & (pictures(first.fitting) | pictures(first.measuring))
    assert pictures(first.measuring) == pictures(second.measuring)


def test_a_version_records_what_was_drawn_and_what_it_rejects(
    dataset: DatasetRef, recipe: Recipe, work: Path, tmp_path: Path, said: list[str]
) -> None:
    order = Order(repository=str(tmp_path / "models"))
    manifest = publish(order, run_in(work, dataset, recipe))
    recorded = manifest.data.styles
    assert recorded is not None
    assert (recorded.digits, recorded.others, recorded.seed) == (30, 40, 3)
    assert recorded.sha256 == hashlib.sha256(drawn(30, 40, 3).pack()).hexdigest()
    assert (
        manifest.code.sources_sha256
        == provenance.sources_digest(recipe)
        != provenance.sources_digest(load_recipe("mlp"))
    )
    assert manifest.spread is not None
    assert manifest.spread.count == 500, "of MNIST's training split alone"
    assert Manifest.decode(manifest.encode()) == manifest

    predictor, _ = load(order.store, manifest.version)
    rejection, measured = manifest.rejection, manifest.rejection_metrics
    assert rejection is not None
    assert [output.name for output in manifest.signature.outputs] == ["probabilities", "digit", "digitness", "rejected"]
    assert measured is not None
    others = drawn(30, 40, HELD_OUT_SEED + 1)
    assert measured.digits == share_rejected(predictor.logits(read_mnist(dataset.files).test_images), rejection)
    assert measured.others == share_rejected(predictor.logits(others.images[30:]), rejection)
    assert measured.drawn_digits == share_rejected(predictor.logits(others.images[:30]), rejection)
    assert (measured.digits.count, measured.drawn_digits.count, measured.others.count) == (200, 30, 40)
    assert rejected_shares(manifest.rejection_metrics) == {
        "digits_rejected": measured.digits.share,
        "drawn_digits_rejected": measured.drawn_digits.share,
        "others_rejected": measured.others.share,
    }
    assert any(line.startswith(f"rejection: {measured.others.share:.2%} of 40 drawn images") for line in said)
    assert "Drawn images" in order.store.read(manifest, "report.html").decode()
    assert "40 images that show no digit" in order.store.read(manifest, "card.md").decode()


def test_a_version_that_learned_drawn_digits_alone_rejects_nothing(
    dataset: DatasetRef, work: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("mlp", [*SMALL, "data.styles.others=0", 'train.loss.kind="softmax_cross_entropy"'])
    manifest = publish(Order(repository=str(tmp_path / "models")), run_in(work, dataset, recipe))
    assert manifest.data.styles is not None
    assert (manifest.rejection, manifest.rejection_metrics) == (None, None)
    assert [output.name for output in manifest.signature.outputs] == ["probabilities", "digit"]
    assert rejected_shares(manifest.rejection_metrics) == {}
