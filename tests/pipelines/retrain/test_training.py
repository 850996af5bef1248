"""Ensembles, and augmentation, as the step that trains sees them."""

from pathlib import Path
from typing import Any

import numpy as np

from core.artifact import weights as weights_file
from core.train.report import EpochReport
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef, FileRef
from pipelines.retrain import steps, training
from tests.pipelines.runs import run_in

TINY = [
    "train.epochs=1",
    "data.validation_images=100",
    'model.layers=[{kind="dense", units=8}, {kind="relu"}, {kind="dense", units=10}]',
]


def trained(dataset: DatasetRef, preprocessing: FileRef, work: Path, *overrides: str) -> tuple[Recipe, dict[str, Any]]:
    recipe = load_recipe("mlp", [*TINY, *overrides])
    done = training.train(dataset, preprocessing, recipe, work, lambda _: None)
    return recipe, weights_file.decode(done.weights.read())


def test_an_ensemble_is_its_members_as_they_are_trained_alone(dataset: DatasetRef, tmp_path: Path) -> None:
    preprocessing = steps.fit_normalizer(run_in(tmp_path, dataset, load_recipe("mlp", TINY)))
    recipe, together = trained(dataset, preprocessing, tmp_path / "together", "train.members=2", "train.seed=5")
    for index, seed in enumerate([5, 6]):
        _, alone = trained(dataset, preprocessing, tmp_path / f"alone {seed}", f"train.seed={seed}")
        for name, array in alone.items():
            np.testing.assert_array_equal(together[f"0.ensemble.{index}.{name}"], array)
    recipe.build(np.random.default_rng(0)).load_state(together)  # what is published fits the structure that is


def test_members_may_differ_in_structure(dataset: DatasetRef, tmp_path: Path) -> None:
    preprocessing = steps.fit_normalizer(run_in(tmp_path, dataset, load_recipe("mlp", TINY)))
    narrow = '[{kind="dense", units=4}, {kind="relu"}, {kind="dense", units=10}]'
    wide = '[{kind="dense", units=9}, {kind="tanh"}, {kind="dense", units=10}]'
    structures = ["model.layers=[]", f"model.members=[{narrow}, {wide}]"]
    recipe, together = trained(dataset, preprocessing, tmp_path / "together", *structures, "train.members=2")
    members = [(1, narrow), (2, wide), (3, narrow), (4, wide)]  # seed and structure
    for index, (seed, layers) in enumerate(members):
        options = [f"model.layers={layers}", f"train.seed={seed}"]
        _, alone = trained(dataset, preprocessing, tmp_path / f"alone {seed}", *options)
        for name, array in alone.items():
            np.testing.assert_array_equal(together[f"0.ensemble.{index}.{name}"], array)
    recipe.build(np.random.default_rng(0)).load_state(together)


def test_a_member_that_is_trained_already_is_taken_over(dataset: DatasetRef, tmp_path: Path) -> None:
    preprocessing = steps.fit_normalizer(run_in(tmp_path, dataset, load_recipe("mlp", TINY)))
    trained(dataset, preprocessing, tmp_path / "first", "train.members=2")
    reports: list[EpochReport] = []
    recipe = load_recipe("mlp", [*TINY, "train.members=3"])
    training.train(dataset, preprocessing, recipe, tmp_path / "second", reports.append)
    assert len(reports) == 1  # the third member's only epoch
    training.clear(dataset, recipe, tmp_path / "second")
    assert {path.name for path in tmp_path.iterdir()} == {"first", "preprocessing.json"}


def test_augmented_images_are_prepared_alike_by_any_number_of_workers(dataset: DatasetRef, tmp_path: Path) -> None:
    preprocessing = steps.fit_normalizer(run_in(tmp_path, dataset, load_recipe("mlp", TINY)))
    augment = 'train.augment=[{kind="rotate"}, {kind="elastic"}]'
    found = [
        trained(dataset, preprocessing, tmp_path / f"{workers}", augment, f"train.workers={workers}")[1]["0.dense.W"]
        for workers in (0, 2)
    ]
    plain = trained(dataset, preprocessing, tmp_path / "plain")[1]["0.dense.W"]
    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], plain)
