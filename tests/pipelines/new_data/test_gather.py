"""New data from folders and from users becomes training images, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.artifact.manifest import Manifest
from core.errors import NewDataError
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines import provenance
from pipelines.new_data.account import counts
from pipelines.new_data.held_out import held_out
from pipelines.new_data.rules import TrustSection
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.retrain import steps, training
from tests.pipelines.runs import publish, run_in

from .given import digit, label, save, save_pair


@pytest.fixture
def recipe(recipe: Recipe) -> Recipe:
    """The small recipe, which trusts every picture: none of these looks like what it is said to show."""
    trust = TrustSection(judge="none", cap=1.0, source_cap=1.0, digit_cap=1.0)
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"trust": trust})})


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """To learn from two folders, of which neither exists yet."""
    return Order(
        repository=str(tmp_path / "models"),
        data_dir=tmp_path / "data",
        feedback=tmp_path / "feedback",
        extra=(tmp_path / "extra",),
    )


@pytest.fixture
def folder(order: Order) -> Path:
    return order.extra[0]


def send(order: Order, number: int, shows: int) -> None:
    assert order.feedback is not None
    item = FeedbackItem(digit=shows, pixels=digit(number).tobytes(), received=datetime.now(UTC))
    FeedbackFolder(order.feedback).add(item)


def with_share(recipe: Recipe, share: float) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"held_out_share": share})})


def test_items_follow_the_training_split_and_are_in_no_other_set(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    save(1, folder / "4" / "a.png")
    send(order, 2, 9)
    found = steps.gather(order, with_share(recipe, 0), dataset)
    plain_images, plain_labels = training.train_split(dataset, recipe)
    images, labels = training.train_split(found, recipe)
    np.testing.assert_array_equal(images[:-2], plain_images)
    np.testing.assert_array_equal(labels[:-2], plain_labels)
    added = {(image.tobytes(), int(label)) for image, label in zip(images[-2:], labels[-2:], strict=True)}
    assert added == {(digit(1).tobytes(), 4), (digit(2).tobytes(), 9)}
    preprocessing = steps.fit_normalizer(run_in(tmp_path, found, recipe))
    train, validation = training.batches(found, preprocessing, recipe, training.begin(recipe))
    assert sum(len(batch[1]) for batch in train) == len(plain_labels) + 2
    assert sum(len(batch[1]) for batch in validation) == recipe.data.validation_images


def test_what_is_held_out_is_not_trained_on(order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path) -> None:
    save_pair(range(40), folder)
    found = steps.gather(order, with_share(recipe, 0.5), dataset)
    trained = {image.tobytes() for image in training.train_split(found, recipe)[0]}
    apart = {image.tobytes() for image in held_out(found).images}
    assert len(apart) > 5
    assert not trained & apart
    assert {digit(number).tobytes() for number in range(40)} <= trained | apart


def test_an_order_without_new_data_only_validates_the_data_set(dataset: DatasetRef, recipe: Recipe) -> None:
    found = steps.gather(Order(), recipe, dataset)
    assert (found.new_data, found.trusted, found.deciding) == (None, None, dataset.digests)
    assert found.validated is not None


def test_folders_in_which_nothing_is_found_decide_nothing(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path
) -> None:
    folder.mkdir()
    found = steps.gather(order, recipe, dataset)
    assert found.deciding == dataset.digests
    assert counts(found) == {"trained": 0, "held_out": 0, "set_aside": 0, "known": 0}


def test_the_fingerprint_follows_what_is_trained_on_and_not_where_it_lies(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    recipe = with_share(recipe, 0)
    folder.mkdir()

    def fingerprint(order: Order = order) -> str:
        return provenance.fingerprint(steps.gather(order, recipe, dataset).deciding, recipe)

    before = fingerprint()
    picture = save(1, folder / "4" / "a.png")
    one = fingerprint()
    assert one != before
    send(order, 1, 4)
    assert fingerprint() == one, "the same picture with the same digit is known already"
    save(2, folder / "5" / "b.png")
    assert fingerprint() not in (one, before)
    (folder / "5" / "b.png").unlink()
    picture.rename(folder / "4_moved.png")
    moved = folder.rename(tmp_path / "elsewhere")
    assert fingerprint(order.model_copy(update={"extra": (moved,), "feedback": None})) == one


@pytest.mark.parametrize("role", ["test_images", "train_images"])
def test_a_picture_of_the_data_set_itself_is_never_trained_on(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path, role: str
) -> None:
    folder.mkdir()
    Image.fromarray(getattr(read_mnist(dataset.files), role)[3]).save(folder / "1_copy.png")
    found = steps.gather(order, recipe, dataset)
    assert found.deciding == dataset.digests
    assert counts(found) == {"trained": 0, "held_out": 0, "set_aside": 0, "known": 1}


def test_a_version_records_its_new_data_and_how_well_what_was_held_out_is_read(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path, tmp_path: Path
) -> None:
    save_pair(range(60), folder)
    (folder / "odd.txt").write_text("mine")
    found = steps.gather(order, with_share(recipe, 0.3), dataset)
    manifest = publish(order, run_in(tmp_path / "work", found, recipe))
    source, apart = f"extra {folder}", len(held_out(found))
    account = manifest.data.new_data
    assert account is not None
    assert (account.images, account.held_out_images) == (60 - apart, apart)
    users, extra = account.sources
    assert (users.source, sum(users.digits), extra.source, extra.set_aside) == (
        f"feedback {order.feedback}",
        0,
        source,
        1,
    )
    assert sum(extra.digits) + sum(extra.held_out) == 60
    assert extra.digits[3] + extra.held_out[3] == [label(number) for number in range(60)].count(3)
    assert manifest.held_out.keys() == {source}
    assert manifest.held_out[source].count == apart
    assert manifest.data.files == dataset.digests, "the same images validate, so champion and challenger compare"
    assert Manifest.decode(manifest.encode()) == manifest
    for document in ("card.md", "report.html"):
        assert source in order.store.read(manifest, document).decode().replace("\\", "")


def test_a_folder_that_is_not_there_is_an_error_that_names_it(
    order: Order, dataset: DatasetRef, recipe: Recipe, folder: Path
) -> None:
    with pytest.raises(NewDataError, match=f"cannot list {folder}: No such file or directory; name a folder"):
        steps.gather(order, recipe, dataset)
