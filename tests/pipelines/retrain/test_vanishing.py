"""The lesson of the recipe `vanishing`, and the cure that its comment gives."""

import re
import shlex
from pathlib import Path
from statistics import median

from pipelines.recipe import load_recipe, recipe_path
from pipelines.references import DatasetRef
from pipelines.retrain import steps, training
from tests.pipelines.runs import run_in

SMALL = ["data.validation_images=100", "train.diagnose_every=5"]


def cure() -> list[str]:
    """The values after `--set` in the command that the recipe's comment gives."""
    comment = " ".join(line.lstrip("# ") for line in recipe_path("vanishing").read_text("utf-8").splitlines()[:12])
    command = re.search(r"python -m pipelines retrain .*?\]'", comment)
    assert command is not None
    words = shlex.split(command[0])
    assert words[:6] == ["python", "-m", "pipelines", "retrain", "--recipe", "vanishing"]
    return [value for option, value in zip(words[6::2], words[7::2], strict=True) if option == "--set"]


def gradient_norms(dataset: DatasetRef, overrides: list[str], work: Path) -> list[float]:
    """The gradient norm of each layer with weights, from the first to the last, as the report shows them."""
    recipe = load_recipe("vanishing", [*SMALL, *overrides])
    trained = training.train(
        dataset, steps.fit_normalizer(run_in(work, dataset, recipe)), recipe, work, lambda report: None
    )
    history = training.HISTORY.validate_json(trained.history.read())
    measured = [step.layers for report in history for step in report.diagnostics]
    norms = [[layer.gradient_norm for layer in layers if layer.gradient_norm is not None] for layers in measured]
    return [median(of_layer) for of_layer in zip(*norms, strict=True)]


def test_with_the_recipe_vanishing_gradients_shrink_from_layer_to_layer(dataset: DatasetRef, tmp_path: Path) -> None:
    norms = gradient_norms(dataset, [], tmp_path)
    assert len(norms) == 7
    assert norms == sorted(norms)
    assert norms[0] < 1e-6 * norms[-1]


def test_with_the_cure_gradients_reach_the_first_layer(dataset: DatasetRef, tmp_path: Path) -> None:
    norms = gradient_norms(dataset, cure(), tmp_path)
    assert len(norms) == 7
    assert norms[0] > 0.3 * norms[-1]
    assert max(norms) < 10 * min(norms)
