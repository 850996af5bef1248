"""Two runs of the same recipe in the same data folder: one works, the other one waits."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import StorageError
from core.shipped import ROOT
from pipelines.lock import locked_if_free
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef
from pipelines.retrain import training, work
from pipelines.retrain.run import Run

RETRAINING = """
import sys
from pathlib import Path
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import steps, training, work
from pipelines.retrain.run import Run
from pipelines.voice import prepare, say

prepare()
dataset, recipe = DatasetRef.model_validate_json(sys.argv[1]), Recipe.model_validate_json(sys.argv[2])
run, published = Run.of(dataset, recipe, Path(sys.argv[3])), Path(sys.argv[4])
with work.held(run, say):
    if published.exists():
        print("unchanged")
    else:
        trained = training.train(dataset, steps.fit_normalizer(run), recipe, run.work, lambda report: None)
        steps.evaluate(run, steps.fit_normalizer(run), trained)
        published.write_bytes(trained.weights.read())
        print("published")
    training.clear(dataset, recipe, run.work)
"""


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe("mlp", ["data.validation_images=100", "train.epochs=2", "model.layers.0.units=8"])


def heard(words: str) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("members", [1, 2])
def test_of_two_processes_with_one_recipe_one_trains_and_the_other_finds_its_version(
    members: int, dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    recipe = recipe.model_copy(update={"train": recipe.train.model_copy(update={"members": members})})
    arguments = (dataset.model_dump_json(), recipe.model_dump_json(), str(tmp_path), str(tmp_path / "published"))
    command = [sys.executable, "-c", RETRAINING, *arguments]
    options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]  # type: ignore[call-overload]
    outputs = [process.communicate(timeout=240) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sorted(said for said, _ in outputs) == ["published\n", "unchanged\n"]
    assert list((tmp_path / "work").iterdir()) == [], "neither folders nor locks remain"


def test_the_folders_of_an_ensemble_are_those_of_its_members_trained_alone(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    ensemble = recipe.model_copy(update={"train": recipe.train.model_copy(update={"members": 2})})
    run, alone = Run.of(dataset, ensemble, tmp_path), Run.of(dataset, recipe, tmp_path)
    assert alone.work in training.folders(dataset, ensemble, run.work) - {run.work}
    with work.held(run, heard), locked_if_free(work.lock_of(alone.work)) as free:
        assert not free


def test_what_a_killed_run_left_half_written_is_removed_by_the_next_one(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    run = Run.of(dataset, recipe, tmp_path)
    run.work.mkdir(parents=True)
    for name in (".train.checkpoint.0a1b.tmp", "train.checkpoint"):
        (run.work / name).touch()
    with work.held(run, heard):
        assert [path.name for path in run.work.iterdir()] == ["train.checkpoint"]


def test_a_data_folder_that_cannot_be_written_is_an_error(dataset: DatasetRef, recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    with pytest.raises(StorageError, match="cannot write"), work.held(Run.of(dataset, recipe, tmp_path), heard):
        pass
