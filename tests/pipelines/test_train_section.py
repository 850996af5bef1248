"""The `[train]` section of a recipe: optimizer, schedule, clipping, average of the weights, loss."""

import json
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.train.report import EpochReport
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef
from pipelines.report.origin import retrain_command
from pipelines.retrain import steps, training
from tests.pipelines.runs import run_in


@pytest.mark.parametrize(
    "override",
    [
        'train.optimizer={kind="adamw", beta1=0.8, beta2=0.99, eps=1e-7, weight_decay=0.05}',
        'train.optimizer={kind="nesterov", momentum=0.95, weight_decay=1e-4}',
        'train.optimizer={kind="rmsprop", decay=0.9}',
        "train.schedule=one_cycle",
        'train.schedule={kind="one_cycle", warmup=0.2, start=0.1}',
        'train.schedule={kind="step", at=[0.3, 0.6], factor=0.5}',
        'train.schedule={kind="reduce_on_plateau", patience=2}',
        "train.clip_norm=1",
        "train.ema_decay=0.999",
        'train.loss={kind="softmax_cross_entropy", label_smoothing=0.1}',
        'train.loss={kind="mean_squared_error"}',
        "train.shards=2",
        "train.diagnose_every=0",
        "train.diagnose_every=100",
        "train.teacher.recipe=ensemble",
        'train.teacher={alias="champion", repository="pretrained", weight=0.7, temperature=2}',
    ],
)
def test_a_valid_train_section_is_read_and_survives_json(override: str) -> None:
    recipe = load_recipe("mlp", [override])
    assert recipe != load_recipe("mlp")
    assert Recipe.model_validate(json.loads(recipe.model_dump_json())) == recipe  # as a manifest keeps it


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ('train.optimizer={kind="adam", weight_decay=0.1}', "adam: unknown option weight_decay; known: beta1, beta2"),
        ('train.optimizer={kind="adam", beta1=1}', "adam: beta1 = 1, expected at least 0 and below 1"),
        ('train.optimizer={kind="rms"}', "unknown kind 'rms'; known: sgd, momentum, nesterov, rmsprop, adam, adamw"),
        ("train.schedule=upwards", "unknown schedule 'upwards'; known: constant, cosine, step, exponential, one_cycle"),
        ('train.schedule={kind="cosine", warm=0.1}', "cosine: unknown option warm; known: warmup, end"),
        ('train.schedule={kind="cosine", warmup=1.5}', "cosine: warmup = 1.5, expected at least 0 and below 1"),
        ("train.schedule=5", "train.schedule: found 5, expected a name or { kind = …, … }"),
        ("train.clip_norm=-1", "train.clip_norm: .*greater than or equal to 0, found -1"),
        ("train.clip_norm=inf", "train.clip_norm: .*finite number, found inf"),
        ("train.clip_norm=nan", "train.clip_norm: .*found nan"),
        ("train.ema_decay=1", "train.ema_decay: .*less than 1, found 1"),
        ("train.ema_decay=-0.5", "train.ema_decay: .*greater than or equal to 0, found -0.5"),
        ('train.loss={kind="hinge"}', "unknown kind 'hinge'; known: softmax_cross_entropy, open_set_cross_entropy"),
        ("train.diagnose_every=often", "train.diagnose_every.*: .*found 'often'"),
        ("train.diagnose_every=-1", "train.diagnose_every.*: .*found -1"),
        ("train.shards=0", "train.shards: .*greater than or equal to 1, found 0"),
        ("train.teacher={}", "train.teacher: found none of them, expected exactly one of recipe, alias and version"),
        ('train.teacher={recipe="cnn", version=1}', "train.teacher: found recipe and version, expected exactly one"),
        ('train.teacher={recipe="cnn", weight=1.5}', "train.teacher.weight: .*less than or equal to 1, found 1.5"),
        ('train.teacher={recipe="cnn", temperature=0}', "train.teacher.temperature: .*greater than 0, found 0"),
        ("train.teacher.recpie=cnn", "unknown key train.teacher.recpie; known: recipe, alias, version, repository"),
        ("train.ema=0.9", "unknown key train.ema; known: .*clip_norm, ema_decay"),
    ],
)
def test_an_invalid_train_section_is_refused_and_the_valid_values_are_listed(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("mlp", [override])


def test_a_teacher_needs_a_loss_of_logits() -> None:
    with pytest.raises(
        ConfigError, match="kind = mean_squared_error: expected open_set_cross_entropy or softmax_cross"
    ):
        load_recipe("mlp", ["train.teacher.recipe=cnn", "train.loss.kind=mean_squared_error"])


def test_the_command_that_reproduces_a_version_has_every_train_option() -> None:
    recipe = load_recipe("mlp", ['train.schedule={kind="one_cycle", warmup=0.2}', "train.clip_norm=2"])
    command = retrain_command("mlp", recipe.model_dump(mode="json"))
    assert """'train.schedule={kind = "one_cycle", warmup = 0.2}'""" in command
    assert "train.clip_norm=2.0" in command
    assert "train.ema_decay=0" in command


def trained(dataset: DatasetRef, recipe: Recipe, work: Path, **changes: object) -> list[EpochReport]:
    changed = recipe.model_copy(update={"train": recipe.train.model_copy(update=changes)})
    reports: list[EpochReport] = []
    preprocessing = steps.fit_normalizer(run_in(work, dataset, changed))
    training.train(dataset, preprocessing, changed, work, reports.append)
    return reports


def test_every_option_of_the_recipe_has_an_effect_on_the_training(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    def losses(name: str, **changes: object) -> list[float]:
        reports = trained(dataset, recipe, tmp_path / name, **changes)
        return [report.validation_loss for report in reports]

    plain = losses("plain")
    assert losses("again") == plain
    assert losses("off", clip_norm=0.0, ema_decay=0.0) == plain
    assert losses("clipped", clip_norm=0.1) != plain
    assert losses("averaged", ema_decay=0.9) != plain
    assert losses("warm", schedule={"kind": "cosine", "warmup": 0.3}) != plain
    assert losses("adam", optimizer={"kind": "adam"}) != plain
