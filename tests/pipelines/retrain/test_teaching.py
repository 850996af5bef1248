"""A published version as the teacher of another: found, learned from, recorded, and found again."""

from pathlib import Path

import pytest

from core.errors import ConfigError, DatasetError, NumeralError
from core.shipped import ROOT
from pipelines import preflight
from pipelines.engine.engine import Engine
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef
from pipelines.reproduce.reproduction import reproduce
from pipelines.retrain import job, steps, teaching, training
from tests.pipelines.runs import publish, run_in

SMALL = (
    "train.epochs=1",
    "train.batch_size=256",
    "model.layers.0.units=8",
)


RECIPE = load_recipe("mlp", [*SMALL, "data.validation_images=100"])


@pytest.fixture
def order(dataset: DatasetRef, tmp_path: Path) -> Order:
    """With real MNIST as the mirror, and a repository that holds a version: the champion."""
    mirrors = ((ROOT / "data/mnist").as_uri(),)
    order = Order(
        repository=str(tmp_path / "models"),
        data_dir=tmp_path / "data",
        mirrors=mirrors,
        overrides=SMALL,
        promote="never",
    )
    publish(order, run_in(tmp_path / "first", dataset, RECIPE))
    order.store.promote(1, by="test", why="test")
    return order


def taught(order: Order, *overrides: str) -> Order:
    return order.model_copy(update={"overrides": (*order.overrides, *overrides)})


def test_a_version_is_distilled_recorded_and_reproduced_and_changes_with_its_teacher(order: Order) -> None:
    by_champion = taught(order, "train.teacher.alias=champion", "train.teacher.temperature=2")
    assert job.retrain(by_champion, Engine()).version == 2
    first, second = (order.store.manifest(version) for version in (1, 2))
    recorded = second.data.teacher
    assert recorded is not None
    assert (recorded.version, recorded.recipe_name) == (1, "mlp")
    assert recorded.weights_sha256 == first.files["weights.safetensors"].sha256
    assert second.files["weights.safetensors"] != first.files["weights.safetensors"]
    page = (Path(order.repository) / "mnist/2/report.html").read_text()
    assert "the answers of its teacher to the same images: version 1, of the recipe mlp" in page

    again = job.retrain(by_champion, Engine())
    assert (again.outcome, again.version) == ("unchanged", 2)
    by_number = job.retrain(taught(by_champion, "train.teacher={version = 1, temperature = 2}"), Engine())
    assert (by_number.outcome, by_number.version) == ("unchanged", 2)  # it is the same teacher under another name

    order.store.promote(2, by="test", why="test")
    assert reproduce(order, 2, Engine()).identical  # by its own teacher, though the champion is another one now
    assert job.retrain(by_champion, Engine()).version == 3  # from the new champion, other things are learned


def test_the_newest_sound_version_of_a_recipe_teaches(order: Order, dataset: DatasetRef, tmp_path: Path) -> None:
    for number in (2, 3):
        publish(order, run_in(tmp_path / f"{number}", dataset, RECIPE))
    recipe = load_recipe("mlp", [*SMALL, "train.teacher.recipe=mlp"])
    found = teaching.find(order.store, recipe, dataset).teacher
    assert found is not None
    assert found.version == 3
    (Path(order.repository) / "mnist/3/manifest.json").write_text("{")
    found = teaching.find(order.store, recipe, dataset).teacher
    assert found is not None
    assert found.version == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("recipe=ensemble", r"newest version of ensemble: .*; train it first with: .*--recipe ensemble"),
        ("version=7", r"train.teacher is version 7: .*; known: 1"),
        ("alias=nobody", r"train.teacher is the nobody: .*the alias names none"),
        ("version=9,repository=elsewhere", r"repository file:///.*/elsewhere: .*there is no such folder"),
    ],
)
def test_a_teacher_that_is_not_there_is_missed_before_anything_is_downloaded(
    order: Order, named: str, said: str
) -> None:
    with pytest.raises(NumeralError, match=said):
        preflight.check(taught(order, *(f"train.teacher.{key}" for key in named.split(","))))


def test_a_version_whose_teacher_was_deleted_or_replaced_cannot_be_reproduced(
    order: Order, dataset: DatasetRef
) -> None:
    recipe = load_recipe("mlp", [*SMALL, "train.teacher.version=1"])
    ref = teaching.find(order.store, recipe, dataset).teacher
    assert ref is not None
    recorded = teaching.provenance_of(ref)
    with pytest.raises(DatasetError, match="has another version 1, with weights"):
        teaching.pinned(order.store, recipe, dataset, recorded.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(ConfigError, match=r"the teacher was version 9 \(mlp\).*cannot be learned again"):
        teaching.pinned(order.store, recipe, dataset, recorded.model_copy(update={"version": 9}))


def test_an_interrupted_distillation_goes_on_with_the_same_bits(
    order: Order, dataset: DatasetRef, tmp_path: Path
) -> None:
    recipe = load_recipe("mlp", [*SMALL, "data.validation_images=100", "train.epochs=3", "train.teacher.version=1"])
    dataset = teaching.find(order.store, recipe, dataset)
    fitted = steps.fit_normalizer(run_in(tmp_path, dataset, recipe))

    def killed(report: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(dataset, fitted, recipe, tmp_path / "resumed", killed)
    resumed, whole = (
        training.train(dataset, fitted, recipe, tmp_path / name, lambda report: None) for name in ("resumed", "whole")
    )
    assert resumed.weights.sha256 == whole.weights.sha256


def test_a_teacher_may_be_published_elsewhere(order: Order, dataset: DatasetRef, tmp_path: Path) -> None:
    here = order.model_copy(update={"repository": str(tmp_path / "other")})
    there = [*SMALL, "train.teacher.alias=champion", f"train.teacher.repository={order.repository}"]
    recipe = load_recipe("mlp", there)
    found = teaching.find(here.store, recipe, dataset)
    assert found.teacher is not None
    assert found.teacher.repository == order.store.url
    recorded = teaching.provenance_of(found.teacher)
    assert teaching.pinned(here.store, recipe, dataset, recorded).teacher == found.teacher


def test_a_command_that_knows_no_repository_says_so(dataset: DatasetRef, work: Path) -> None:
    recipe = load_recipe("mlp", [*SMALL, "data.validation_images=100", "train.teacher.version=1"])
    fitted = steps.fit_normalizer(run_in(work, dataset, recipe))
    with pytest.raises(ConfigError, match="this command looks into no repository of versions"):
        training.train(dataset, fitted, recipe, work, lambda report: None)


def test_which_version_teaches_cannot_be_varied_behind_the_lookup(order: Order, dataset: DatasetRef) -> None:
    found = teaching.find(order.store, load_recipe("mlp", [*SMALL, "train.teacher.version=1"]), dataset)
    varied = load_recipe("mlp", [*SMALL, "train.teacher.alias=champion"])
    with pytest.raises(ConfigError, match="train.teacher is the champion, but version 1 was looked up"):
        teaching.check(varied, found)
