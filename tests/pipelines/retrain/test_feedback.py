"""Feedback: pictures that users sent become training images, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.artifact.manifest import Manifest
from core.errors import FeedbackError
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.retrain import feedback, steps, training
from tests.pipelines.runs import publish, run_in


def item(seed: int, digit: int) -> FeedbackItem:
    pixels = np.random.default_rng(seed).integers(0, 256, 784, np.uint8).tobytes()
    return FeedbackItem(digit=digit, pixels=pixels, received=datetime.now(UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feedback"


def gathered(folder: Path, dataset: DatasetRef, tmp_path: Path) -> DatasetRef:
    return steps.gather(folder, dataset, tmp_path)


def test_items_follow_the_training_split_and_are_in_no_other_set(
    dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    sent = [item(1, 4), item(2, 9)]
    for one in sent:
        FeedbackFolder(folder).add(one)
    found = gathered(folder, dataset, tmp_path)
    plain_images, plain_labels = training.train_split(dataset, recipe)
    images, labels = training.train_split(found, recipe)
    np.testing.assert_array_equal(images[:-2], plain_images)
    np.testing.assert_array_equal(labels[:-2], plain_labels)
    added = {(image.tobytes(), int(label)) for image, label in zip(images[-2:], labels[-2:], strict=True)}
    assert added == {(one.pixels, one.digit) for one in sent}
    preprocessing = steps.fit_normalizer(run_in(tmp_path, found, recipe))
    train, validation = training.batches(found, preprocessing, recipe, training.begin(recipe))
    assert sum(len(batch[1]) for batch in train) == len(plain_labels) + 2
    assert sum(len(batch[1]) for batch in validation) == recipe.data.validation_images


def test_without_feedback_the_data_set_is_unchanged(dataset: DatasetRef, folder: Path, tmp_path: Path) -> None:
    assert gathered(folder, dataset, tmp_path) == dataset
    folder.mkdir()
    assert gathered(folder, dataset, tmp_path) == dataset
    assert dataset.deciding == dataset.digests


def test_the_fingerprint_changes_with_each_item_and_back_when_it_is_discarded(
    dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    def fingerprint() -> str:
        return provenance.fingerprint(gathered(folder, dataset, tmp_path).deciding, recipe)

    items = FeedbackFolder(folder)
    before = fingerprint()
    items.add(item(1, 4))
    one = fingerprint()
    items.add(item(1, 4))
    assert fingerprint() == one != before
    items.add(item(2, 5))
    assert fingerprint() not in (one, before)
    items.discard(item(2, 5).name)
    assert fingerprint() == one


def test_damaged_and_contradicted_items_are_ignored_with_a_message(dataset: DatasetRef, folder: Path) -> None:
    items = FeedbackFolder(folder)
    good, damaged, one, other = item(1, 4), item(2, 5), item(3, 1), item(3, 7)
    for each in (good, damaged, one, other):
        items.add(each)
    (folder / f"{damaged.name}.json").write_bytes(b"{")
    said: list[str] = []
    packed = feedback.gather(folder, read_mnist(dataset.files), said.append)
    assert packed == bytes([4]) + good.pixels
    assert len([line for line in said if line.startswith("feedback ignored")]) == 3
    assert any(damaged.name in line for line in said)
    assert any(one.name in line and "another item says 7" in line for line in said)
    assert said[-1] == "feedback: 1 picture from users added to the training images"


@pytest.mark.parametrize("role", ["test_images", "train_images"])
def test_a_picture_of_the_data_set_itself_is_never_trained_on(
    dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path, role: str
) -> None:
    picture = getattr(read_mnist(dataset.files), role)[3]
    FeedbackFolder(folder).add(FeedbackItem(digit=1, pixels=picture.tobytes(), received=datetime.now(UTC)))
    assert gathered(folder, dataset, tmp_path).feedback is None


def test_a_version_records_the_feedback_that_it_was_trained_on(
    dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    FeedbackFolder(folder).add(item(1, 4))
    found = gathered(folder, dataset, tmp_path)
    order = Order(repository=str(tmp_path / "models"))
    manifest = publish(order, run_in(tmp_path / "work" / "run", found, recipe))
    assert found.feedback is not None
    assert manifest.data.feedback is not None
    assert (manifest.data.feedback.images, manifest.data.feedback.sha256) == (1, found.feedback.sha256)
    assert manifest.data.files == dataset.digests, "the same images validate, so champion and challenger compare"
    assert Manifest.decode(manifest.encode()) == manifest
    card = order.store.read(manifest, "card.md").decode()
    assert "1 picture that users sent" in card


def test_a_folder_that_cannot_be_read_is_an_error(dataset: DatasetRef, folder: Path, tmp_path: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(FeedbackError, match="cannot list the feedback folder"):
        gathered(folder, dataset, tmp_path)
