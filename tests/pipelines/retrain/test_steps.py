"""The steps of a retraining, each as a plain function on a small real data set."""

from pathlib import Path

import numpy as np
import pytest

from core.data.normalize import Normalizer
from core.data.split import Split
from core.errors import DatasetError, DigestError, RepositoryError
from core.inference.predict import load
from core.measure.calibration import fit_temperature
from core.measure.corruptions import CORRUPTIONS
from core.measure.evaluate import evaluate
from core.nn.losses import softmax
from core.train.report import EpochReport
from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.retrain import steps, training
from pipelines.retrain.run import Run
from tests.core.artifact.forbidden import forbid
from tests.floats import assert_same_function, close
from tests.pipelines.runs import FINGERPRINT, publish, run_in


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"))


@pytest.fixture
def run(dataset: DatasetRef, recipe: Recipe, work: Path) -> Run:
    return run_in(work, dataset, recipe)


def train(run: Run) -> tuple[TrainedRef, list[EpochReport]]:
    reports: list[EpochReport] = []
    preprocessing = steps.fit_normalizer(run)
    return training.train(run.dataset, preprocessing, run.recipe, run.work, reports.append), reports


def test_verify_counts_the_images(dataset: DatasetRef) -> None:
    assert steps.verify(dict(dataset.files)) == dataset


def test_verify_refuses_files_that_do_not_belong_together(dataset: DatasetRef) -> None:
    swapped = dict(dataset.files)
    swapped["train-labels-idx1-ubyte"] = swapped["t10k-labels-idx1-ubyte"]
    with pytest.raises(DatasetError, match="600 images, but 200 labels"):
        steps.verify(swapped)


def test_a_data_file_that_changed_between_two_steps_is_refused(
    dataset: DatasetRef, recipe: Recipe, work: Path, tmp_path: Path
) -> None:
    other = tmp_path / "labels.gz"
    other.write_bytes(dataset.files["t10k-labels-idx1-ubyte"].path.read_bytes())
    ref = FileRef(path=other, sha256=dataset.files["train-labels-idx1-ubyte"].sha256)
    changed = dataset.model_copy(update={"files": dict(dataset.files) | {"train-labels-idx1-ubyte": ref}})
    with pytest.raises(DigestError, match="labels.gz: sha256"):
        steps.fit_normalizer(run_in(work, changed, recipe))


def test_the_normalizer_is_fitted_on_the_training_split_alone(run: Run) -> None:
    images = read_mnist(run.dataset.files).train_images
    data = run.recipe.data
    split = Split.random(len(images), data.validation_images, seed=data.split_seed)
    expected = Normalizer.fit(images[split.train])
    assert expected != Normalizer.fit(images)
    assert training.normalizer(steps.fit_normalizer(run)) == expected


@pytest.mark.parametrize(("kind", "std", "says"), [("unit", 255, "from 0 to 1"), ("none", 1, "from 0 to 255")])
def test_a_recipe_may_leave_pixels_as_they_are_and_the_run_says_so(
    kind: str, std: float, says: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(steps, "say", said.append)
    data = run.recipe.data.model_copy(update={"normalize": kind})
    changed = run.model_copy(update={"recipe": run.recipe.model_copy(update={"data": data})})
    assert training.normalizer(steps.fit_normalizer(changed)) == Normalizer(0, std)
    assert said == [f"not normalized, as data.normalize is {kind}: inputs {says}"]


def test_training_reports_every_epoch_and_lowers_the_loss(run: Run) -> None:
    _, reports = train(run)
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert reports[-1].train_loss < reports[0].train_loss


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(run: Run, tmp_path: Path) -> None:
    reseeded = run.recipe.model_copy(update={"train": run.recipe.train.model_copy(update={"seed": 2})})
    first, _ = train(run)
    again, _ = train(run.model_copy(update={"work": tmp_path / "again"}))
    other, _ = train(run.model_copy(update={"work": tmp_path / "other", "recipe": reseeded}))
    assert first.weights.sha256 == again.weights.sha256 != other.weights.sha256


def test_weights_that_an_interrupted_run_has_trained_are_not_trained_again(run: Run) -> None:
    first, _ = train(run)
    again, reports = train(run)
    assert again == first
    assert reports == []


def test_trained_weights_that_were_damaged_since_are_written_again(run: Run) -> None:
    first, _ = train(run)
    first.weights.path.write_bytes(first.weights.path.read_bytes()[:-1])
    again, reports = train(run)
    assert reports == [], "the checkpoint still holds them"
    assert again.weights.sha256 == first.weights.sha256


def test_a_published_version_loads_and_holds_its_provenance(order: Order, run: Run) -> None:
    manifest = publish(order, run)
    predictor, loaded = load(order.store, manifest.version)
    assert loaded == manifest
    assert manifest.data.files == run.dataset.digests
    assert manifest.recipe["train"]["epochs"] == 3
    assert manifest.architecture.parameter_count == 784 * 16 + 16 + 16 * 10 + 10
    assert manifest.files.keys() == {"weights.safetensors", "report.html", "card.md", "history.json"}
    assert manifest.code.sources_sha256 == provenance.sources_digest(run.recipe)
    assert manifest.spread is not None
    assert manifest.spread.count == manifest.data.train_images, "of the training split alone"
    test_images, test_labels = (getattr(read_mnist(run.dataset.files), f"test_{part}") for part in ("images", "labels"))
    right = predictor.probabilities(test_images).argmax(axis=1) == test_labels
    assert manifest.test.accuracy == right.mean()
    assert b"<html" in order.store.read(manifest, "report.html")


def test_a_published_version_holds_its_calibration_and_robustness(order: Order, run: Run) -> None:
    manifest = publish(order, run)
    predictor, _ = load(order.store, manifest.version)
    assert predictor.temperature == manifest.calibration.temperature
    test = read_mnist(run.dataset.files)
    probabilities = predictor.probabilities(test.test_images)
    found = evaluate(probabilities, test.test_labels)
    for measure in ("calibration_error", "loss"):  # of the same function, in batches of another size
        expected = getattr(found, measure)
        assert_same_function(getattr(manifest.test, measure), expected, terms=784 + 16, dtype=np.float32, scale=1.0)
    assert manifest.test.per_class_intervals == found.per_class_intervals
    assert list(manifest.robustness) == list(CORRUPTIONS)
    assert {measured.count for measured in manifest.robustness.values()} == {50}  # of 200, every fourth
    upward = CORRUPTIONS["shift_up"].apply(test.test_images[::4])
    right = predictor.logits(upward).argmax(axis=1) == test.test_labels[::4]
    assert manifest.robustness["shift_up"].accuracy == right.mean()


def test_the_temperature_is_fitted_on_the_validation_images_and_lowers_their_loss(order: Order, run: Run) -> None:
    manifest = publish(order, run)
    predictor, _ = load(order.store, manifest.version)
    whole = read_mnist(run.dataset.files)
    rows = Split.random(600, 100, seed=run.recipe.data.split_seed).validation
    logits, labels = predictor.logits(whole.train_images[rows]), whole.train_labels[rows]
    assert predictor.temperature == close(
        fit_temperature(logits, labels), rel=1e-6, why="fitted on logits of another batch size"
    )
    assert predictor.temperature != 1
    assert manifest.validation.loss < evaluate(softmax(logits), labels).loss


def test_the_golden_inputs_hold_one_image_of_each_digit(order: Order, run: Run) -> None:
    images, probabilities = publish(order, run).golden.arrays()
    assert images.shape == (10, 28, 28)
    assert probabilities.shape == (10, 10)


def test_an_unchanged_fingerprint_is_found_and_another_is_not(order: Order, run: Run) -> None:
    manifest = publish(order, run)
    assert steps.find_unchanged(order.store, FINGERPRINT) == manifest
    assert steps.find_unchanged(order.store, "0" * 64) is None


def test_a_version_whose_weights_are_damaged_does_not_count_as_unchanged(
    order: Order, run: Run, tmp_path: Path
) -> None:
    manifest = publish(order, run)
    weights = tmp_path / "models" / "mnist" / str(manifest.version) / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert steps.find_unchanged(order.store, FINGERPRINT) is None


def test_a_version_whose_manifest_may_not_be_read_hides_no_older_one(
    order: Order, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = publish(order, run)
    publish(order, run)
    forbid(tmp_path / "models/mnist/2/manifest.json", monkeypatch)
    assert steps.find_unchanged(order.store, FINGERPRINT) == manifest


def test_a_publication_that_fails_gives_its_number_back(
    order: Order, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RepositoryError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(steps, "render_card", fail)
        with pytest.raises(RepositoryError, match="the disk is full"):
            publish(order, run)
    assert not (tmp_path / "models/mnist/1").exists()
    assert publish(order, run).version == 1
