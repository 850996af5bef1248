"""A training that was interrupted is resumed, and one that stops early says so."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.artifact import weights as weights_file
from core.shipped import ROOT
from core.train.loop import measure
from core.train.report import EpochReport
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, TrainedRef
from pipelines.retrain import steps, training
from tests.floats import assert_same_function
from tests.pipelines.runs import run_in

CHANGES = {"ema_decay": 0.9, "keep_best": True, "optimizer": {"kind": "adam"}, "learning_rate": 0.003, "epochs": 5}

CHILD = """
import os, signal, sys
from pathlib import Path
from pipelines.retrain import steps
from pipelines.retrain import training
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from tests.pipelines.runs import run_in
dataset, recipe = DatasetRef.model_validate_json(sys.argv[1]), Recipe.model_validate_json(sys.argv[2])
work, after = Path(sys.argv[3]), int(sys.argv[4])

from core.optim.optimizers import Adam
step = Adam.step
def deadly(self, parameter, learning_rate):
    step(self, parameter, learning_rate)
    if self.steps == after:
        os.kill(os.getpid(), signal.SIGKILL)
Adam.step = deadly
training.train(dataset, steps.fit_normalizer(run_in(work, dataset, recipe)), recipe, work, lambda report: None)
"""


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages of the training."""
    said: list[str] = []
    monkeypatch.setattr(training, "say", said.append)
    return said


@pytest.fixture
def recipe(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"train": recipe.train.model_copy(update=CHANGES)})


def changed(recipe: Recipe, **changes: object) -> Recipe:
    return recipe.model_copy(update={"train": recipe.train.model_copy(update=changes)})


def train(dataset: DatasetRef, recipe: Recipe, work: Path) -> tuple[TrainedRef, list[int]]:
    reports: list[EpochReport] = []
    preprocessing = steps.fit_normalizer(run_in(work, dataset, recipe))
    trained = training.train(dataset, preprocessing, recipe, work, reports.append)
    return trained, [report.epoch for report in reports]


def killed(dataset: DatasetRef, recipe: Recipe, work: Path, after: int) -> None:
    arguments = (dataset.model_dump_json(), recipe.model_dump_json(), str(work), str(after))
    process = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr


def test_a_killed_training_resumes_after_its_last_epoch_with_the_same_weights(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, lines: list[str]
) -> None:
    whole, epochs = train(dataset, recipe, tmp_path / "whole")
    assert epochs == [1, 2, 3, 4, 5]
    killed(dataset, recipe, tmp_path / "work", after=40)  # 500 images in batches of 32: 16 steps an epoch
    assert not (tmp_path / "work" / "trained.json").exists()
    lines.clear()
    trained, epochs = train(dataset, recipe, tmp_path / "work")
    assert epochs == [3, 4, 5]
    assert "training was interrupted: it goes on after epoch 2 of 5" in lines
    assert trained.weights.sha256 == whole.weights.sha256
    history = training.HISTORY.validate_json(trained.history.read())
    assert [report.epoch for report in history] == [1, 2, 3, 4, 5], "the report is one of the whole training"


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint"])
def test_with_a_damaged_checkpoint_training_starts_again_with_a_message(
    damage: bytes, dataset: DatasetRef, recipe: Recipe, tmp_path: Path, lines: list[str]
) -> None:
    whole, _ = train(dataset, recipe, tmp_path / "whole")
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.checkpoint").write_bytes(damage)
    trained, epochs = train(dataset, recipe, work)
    assert epochs == [1, 2, 3, 4, 5]
    assert trained.weights.sha256 == whole.weights.sha256
    assert any(line.startswith("training starts again from the beginning: checkpoint ") for line in lines)


def test_the_checkpoint_of_another_recipe_is_not_resumed(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, lines: list[str]
) -> None:
    other = changed(recipe, seed=7)
    whole, _ = train(dataset, other, tmp_path / "whole")
    killed(dataset, recipe, tmp_path / "work", after=40)
    trained, epochs = train(dataset, other, tmp_path / "work")
    assert epochs == [1, 2, 3, 4, 5]
    assert trained.weights.sha256 == whole.weights.sha256
    assert any("training starts again from the beginning" in line for line in lines)


def test_a_training_that_stops_early_says_so_and_keeps_the_best_weights(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, lines: list[str]
) -> None:
    hasty = changed(recipe, patience=2, epochs=40, learning_rate=0.05, ema_decay=0.0)
    trained, epochs = train(dataset, hasty, tmp_path)
    history = training.HISTORY.validate_json(trained.history.read())
    losses = [report.validation_loss for report in history]
    best = losses.index(min(losses)) + 1
    assert len(epochs) == best + 2 < 40
    assert lines[-1].startswith(f"trained: {best + 2} epochs in ")
    assert (
        f"(of 40 planned; stopped early: no lower validation loss in 2 epochs than after epoch {best}), the weights of "
        f"epoch {best} kept, validation accuracy {history[best - 1].validation_accuracy:.2%}"
    ) in lines[-1]
    kept = training.begin(hasty)
    kept.network.load_state(weights_file.decode(trained.weights.read()))
    _, validation = training.batches(dataset, steps.fit_normalizer(run_in(tmp_path, dataset, hasty)), hasty, kept)
    loss, _ = measure(kept.network, validation)
    # Not the same bits: here BLAS may use several threads.
    assert_same_function(loss, min(losses), terms=784 + 16 + 100, dtype=np.float32, scale=1.0)
    assert losses[-1] > 1.001 * min(losses)
