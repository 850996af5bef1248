"""The steps of a retraining, each as a plain function on a small real data set."""

from pathlib import Path

import numpy as np
import pytest

from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import Repository
from core.data import mnist
from core.data.batches import Split
from core.data.normalize import Normalizer
from core.errors import DatasetError, DigestError
from core.inference.predict import load
from core.measure.calibration import fit_temperature
from core.measure.corruptions import CORRUPTIONS
from core.measure.evaluate import evaluate
from core.nn.losses import softmax
from core.train.loop import EpochReport
from pipelines import provenance
from pipelines.config import ROOT, Recipe, load_recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.retrain import steps, training
from tests.floats import assert_same_function, close

FINGERPRINT = "f" * 64


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(str(tmp_path / "models"), writable=True)


def train(dataset: DatasetRef, recipe: Recipe, work: Path) -> tuple[FileRef, TrainedRef, list[EpochReport]]:
    reports: list[EpochReport] = []
    preprocessing = steps.normalize(dataset, recipe, work)
    return preprocessing, training.train(dataset, preprocessing, recipe, work, reports.append), reports


def publish(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path, fingerprint: str = FINGERPRINT
) -> Manifest:
    preprocessing, trained, _ = train(dataset, recipe, work)
    evaluations = steps.evaluate_trained(dataset, preprocessing, trained, recipe, work)
    return steps.publish(repository, fingerprint, "mlp", recipe, dataset, preprocessing, trained, evaluations)


def test_verify_counts_the_images(dataset: DatasetRef) -> None:
    assert steps.verify(dict(dataset.files)) == dataset


def test_verify_refuses_files_that_do_not_belong_together(dataset: DatasetRef) -> None:
    swapped = dict(dataset.files)
    swapped["train-labels-idx1-ubyte"] = swapped["t10k-labels-idx1-ubyte"]
    with pytest.raises(DatasetError, match="600 images, but 200 labels"):
        steps.verify(swapped)


def test_a_data_file_that_changed_between_two_steps_is_noticed(
    dataset: DatasetRef, recipe: Recipe, work: Path, tmp_path: Path
) -> None:
    other = tmp_path / "labels.gz"
    other.write_bytes(dataset.files["t10k-labels-idx1-ubyte"].path.read_bytes())
    ref = FileRef(path=other, sha256=dataset.files["train-labels-idx1-ubyte"].sha256)
    changed = dataset.model_copy(update={"files": dict(dataset.files) | {"train-labels-idx1-ubyte": ref}})
    with pytest.raises(DigestError, match="labels.gz: sha256"):
        steps.normalize(changed, recipe, work)


def test_the_normalizer_sees_the_training_split_alone(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    images = read_mnist(dataset.files).train_images
    split = Split.random(len(images), recipe.data.validation_images, np.random.default_rng(recipe.data.split_seed))
    expected = Normalizer.fit(images[split.train])
    assert expected != Normalizer.fit(images)
    fitted = training.normalizer(steps.normalize(dataset, recipe, work))
    assert fitted == expected


def test_training_reports_every_epoch_and_learns(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    _, _, reports = train(dataset, recipe, work)
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert reports[-1].train_loss < reports[0].train_loss


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    _, first, _ = train(dataset, recipe, tmp_path / "a")
    _, again, _ = train(dataset, recipe, tmp_path / "b")
    reseeded = recipe.model_copy(update={"train": recipe.train.model_copy(update={"seed": 2})})
    _, other, _ = train(dataset, reseeded, tmp_path / "c")
    assert first.weights.sha256 == again.weights.sha256 != other.weights.sha256


def test_what_an_interrupted_run_has_trained_is_not_trained_again(
    dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    _, first, _ = train(dataset, recipe, work)
    _, again, reports = train(dataset, recipe, work)
    assert again == first
    assert reports == []


def test_trained_weights_that_were_damaged_meanwhile_are_written_again(
    dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    _, first, _ = train(dataset, recipe, work)
    first.weights.path.write_bytes(first.weights.path.read_bytes()[:-1])
    _, again, reports = train(dataset, recipe, work)
    assert reports == [], "the checkpoint still holds them"
    assert again.weights.sha256 == first.weights.sha256


def test_a_published_version_loads_and_says_where_it_comes_from(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    predictor, loaded = load(repository, manifest.version)
    assert loaded == manifest
    assert manifest.data.files == dataset.digests
    assert manifest.recipe["train"]["epochs"] == 3
    assert manifest.architecture.parameter_count == 784 * 16 + 16 + 16 * 10 + 10
    assert manifest.files.keys() == {"weights.safetensors", "report.html", "card.md"}
    assert manifest.code.sources_sha256 == provenance.sources_digest()
    assert manifest.spread is not None
    assert manifest.spread.count == manifest.data.train_images, "of the training split alone"
    test_images, test_labels = (getattr(read_mnist(dataset.files), f"test_{part}") for part in ("images", "labels"))
    right = predictor.probabilities(test_images).argmax(axis=1) == test_labels
    assert manifest.test.accuracy == right.mean()
    assert b"<html" in repository.read(manifest, "report.html")


def test_a_published_version_says_how_sure_it_is_and_what_it_bears(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    predictor, _ = load(repository, manifest.version)
    assert predictor.temperature == manifest.calibration.temperature
    test = read_mnist(dataset.files)
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


def test_the_temperature_is_fitted_on_the_validation_images_and_makes_them_likelier(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    predictor, _ = load(repository, manifest.version)
    whole = read_mnist(dataset.files)
    rows = Split.random(600, 100, np.random.default_rng(recipe.data.split_seed)).validation
    logits, labels = predictor.logits(whole.train_images[rows]), whole.train_labels[rows]
    assert predictor.temperature == close(
        fit_temperature(logits, labels), rel=1e-6, why="fitted on logits of another batch size"
    )
    assert predictor.temperature != 1
    assert manifest.validation.loss < evaluate(softmax(logits), labels).loss


def test_the_golden_inputs_hold_each_digit_once(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    images, probabilities = publish(repository, dataset, recipe, work).golden.arrays()
    assert images.shape == (10, 28, 28)
    assert probabilities.shape == (10, 10)


def test_an_unchanged_fingerprint_is_found_and_another_is_not(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    assert steps.find_unchanged(repository, FINGERPRINT) == manifest
    assert steps.find_unchanged(repository, "0" * 64) is None


def test_a_version_whose_weights_are_damaged_does_not_count_as_unchanged(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path, tmp_path: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    weights = tmp_path / "models" / "mnist" / str(manifest.version) / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert steps.find_unchanged(repository, FINGERPRINT) is None


def test_the_first_version_is_promoted_once(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    assert steps.promote(repository, manifest, "tests")
    assert steps.promote(repository, manifest, "tests")
    assert [move.version for move in repository.alias().history()] == [manifest.version]


def test_a_version_with_a_bad_verdict_is_not_promoted(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    manifest = publish(repository, dataset, recipe, work)
    bad = manifest.model_copy(update={"verdict": Verdict(promote=False, reason="worse", parent=None)})
    assert not steps.promote(repository, bad, "tests")
    assert repository.alias().target() is None


def test_a_rollback_is_not_undone_by_running_again(
    repository: Repository, dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    first = publish(repository, dataset, recipe, tmp_path / "a")
    steps.promote(repository, first, "tests")
    second = publish(repository, dataset, recipe, tmp_path / "b", "e" * 64)
    steps.promote(repository, second, "tests")
    repository.alias().rollback(by="tests", why="it misreads sevens")
    assert not steps.promote(repository, second, "tests")
    assert repository.champion() == first.version


@pytest.mark.parametrize(
    ("override", "same"),
    [
        ("train.epochs=4", False),
        ("train.seed=9", False),
        ("model.layers.0.units=17", False),
        ("promotion.max_accuracy_drop=0.1", True),
        ("description=another", True),
    ],
)
def test_the_fingerprint_follows_what_decides_the_weights(override: str, same: bool) -> None:
    data = {file.name: file.sha256 for file in mnist.FILES}
    changed = provenance.fingerprint(data, load_recipe("mlp", [override]))
    assert (changed == provenance.fingerprint(data, load_recipe("mlp"))) is same


def test_the_fingerprint_follows_the_data() -> None:
    recipe = load_recipe("mlp")
    assert provenance.fingerprint({"a": "1"}, recipe) != provenance.fingerprint({"a": "2"}, recipe)


def test_the_sources_that_train_are_part_of_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "core"
    for path in (ROOT / "core").rglob("*.py"):
        target = copy / path.relative_to(ROOT / "core")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    before = provenance.sources_digest()
    dense = copy / "nn" / "dense.py"
    dense.write_text(dense.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert provenance.sources_digest() != before
