"""What is wrong with a training: a table of symptoms, and real trainings that are ill or well."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.train.diagnostics import LayerDiagnostics, StepDiagnostics
from core.train.report import EpochReport
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef
from pipelines.report.diagnosis import Finding, diagnose, diagnose_all
from pipelines.retrain import steps, training
from tests.pipelines.report.report_inputs import report
from tests.pipelines.runs import run_in

LN10 = math.log(10)


def look(
    *,
    norms: Sequence[float] = (0.5, 0.5),
    ratios: Sequence[float] = (1e-3, 1e-3),
    stds: Sequence[float] = (1.0, 1.0),
    idle: float = 0.1,
    kind: str = "relu",
    step: int = 0,
) -> StepDiagnostics:
    """Two dense layers, and what is between them."""
    first, last = (
        LayerDiagnostics(name, mean=0.0, std=std, gradient_norm=norm, update_ratio=ratio)
        for name, std, norm, ratio in zip(("0.dense", "2.dense"), stds, norms, ratios, strict=True)
    )
    return StepDiagnostics(step, (first, LayerDiagnostics(f"1.{kind}", mean=0.5, std=1.0, idle=idle), last))


def history(
    train: Sequence[float],
    validation: Sequence[float],
    looks: Sequence[StepDiagnostics] = (),
    *,
    accuracy: float = 0.9,
    stopped: str | None = None,
) -> list[EpochReport]:
    """Epochs with these losses, the looks in the last one."""
    return [
        EpochReport(
            epoch=at,
            epochs=len(train),
            train_loss=loss,
            train_accuracy=accuracy,
            validation_loss=held_out,
            validation_accuracy=accuracy,
            learning_rate=0.1,
            seconds=1.0,
            images_per_second=1.0,
            stopped=stopped if at == len(train) else None,
            diagnostics=tuple(looks) if at == len(train) else (),
        )
        for at, (loss, held_out) in enumerate(zip(train, validation, strict=True), start=1)
    ]


def still(*looks: StepDiagnostics) -> list[EpochReport]:
    return history([LN10] * 2, [LN10] * 2, looks, accuracy=0.1)


@pytest.mark.parametrize(
    ("epochs", "name", "evidence"),
    [
        (still(), "stands still", "after epoch 2 the validation loss is 2.303.*train.diagnose_every=50"),
        (
            still(look(norms=(0, 0.2), stds=(0, 0)), look(norms=(0, 0.2), idle=1)),
            "stands still",
            "At the first step layer 0 .dense. gave the same output.*he_normal",
        ),
        (still(look(norms=(1e-6, 0.4))), "stands still", "0.4 at layer 2 .dense. and 1e-06 at layer 0 .dense."),
        (
            still(look(), look(norms=(0, 0.4), idle=1.0, step=8), look(norms=(0, 0.4), idle=1.0, step=16)),
            "stands still",
            "100% of the units of layer 1 .relu. have been 0 for whole batches since step 8",
        ),
        (still(look(ratios=(2e-6, 3e-6))), "stands still", "no layer by more than 3e-06 of its weights.*find-rate"),
        (still(look()), "stands still", "No layer shows why"),
        (history([2, 1.9], [2, 1.8], [look(idle=0.95)]), "dead units", "95% of the units of layer 1 .relu."),
        (history([2, 1.9], [2, 1.8], [look(idle=0.95, kind="tanh")]), "saturated", "glorot_normal, or batch_norm"),
        (history([0.5, 0.3, 0.9], [0.5, 0.4, 0.4]), "jumps", "jumped from 0.3 to 0.9 by epoch 3: .*Try a smaller tr"),
        (history([0.5, 0.3, 0.2], [0.3, 0.8, 0.3]), "jumps", "validation loss jumped from 0.3 to 0.8 by epoch 2"),
        (history([16, 2, 1.5], [1.5, 1.5, 1.5]), "jumps", "epoch 1 was 16.*Try a smaller train.\\S+, a warm-up"),
        (
            history([0.3, 0.1, 0.01], [0.3, 0.4, 0.42]),
            "overfits",
            "Since epoch 1 .* from 0.3 to 0.42, while .* to 0.01",
        ),
        (history([1, 0.8, 0.7], [1, 0.85, 0.7]), "still learning", "from 0.85 to 0.7.*more train.epochs"),
    ],
)
def test_each_symptom_is_named_with_its_numbers_and_a_next_step(
    epochs: list[EpochReport], name: str, evidence: str
) -> None:
    (found,) = diagnose(epochs)
    assert found.name == name
    assert re.search(evidence, found.sentence), found.sentence


@pytest.mark.parametrize(
    "epochs",
    [
        [],
        history([0.4], [0.3], [look()]),
        history([0.4, 0.2, 0.1], [0.3, 0.2, 0.15], [look(idle=0.5)]),
        history([0.4, 0.2, 0.1], [0.3, 0.2, 0.22], [look()]),  # an epoch that is a little worse
        history([0.4, 0.2, 0.1], [0.3, 0.2, 0.26], [look()]),  # a single one that is worse
        history([1, 0.8, 0.7], [1, 0.85, 0.7], stopped="no lower validation loss"),
        history([0.3, 0.2, 0.1], [0.3, 0.25, 0.2]),  # it learns, but what is left is memorizing
        history([0.002, 0.001, 0.004], [0.1, 0.1, 0.1]),  # four times as much of hardly anything
    ],
)
def test_nothing_is_said_of_what_is_usual(epochs: list[EpochReport]) -> None:
    assert diagnose(epochs) == ()


def test_a_loss_that_jumps_is_not_also_said_to_overfit() -> None:
    epochs = history([0.5, 0.3, 0.2, 0.1, 0.05], [0.3, 0.9, 0.4, 0.8, 0.8])
    assert [finding.name for finding in diagnose(epochs)] == ["jumps"]


def test_a_loss_that_is_no_number_breaks_no_rule() -> None:
    assert diagnose(history([math.inf, math.nan], [math.inf, math.nan], [look(norms=(math.nan, math.inf))])) is not None


def test_of_an_ensemble_each_finding_is_named_once() -> None:
    ill = history([0.3, 0.1, 0.01], [0.3, 0.4, 0.42])
    well = history([0.4, 0.2], [0.3, 0.2])
    assert diagnose_all([*well, *ill, *ill]) == diagnose(ill)


def trained(dataset: DatasetRef, name: str, overrides: list[str], work: Path) -> tuple[Finding, ...]:
    """What is found in a real training, from the history that is kept of it."""
    recipe = load_recipe(name, ["data.validation_images=100", *overrides])
    run = run_in(work, dataset, recipe)
    done = training.train(dataset, steps.fit_normalizer(run), recipe, work, lambda report: None)
    return diagnose(training.HISTORY.validate_json(done.history.read()))


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("mlp", ["train.epochs=6"]),
        (
            "cnn",
            ["train.epochs=8", "train.batch_size=25", "train.shards=1", "data.styles={}", "train.augment=[]"],
        ),
    ],
)
def test_a_real_training_that_goes_well_is_left_in_peace(
    dataset: DatasetRef, tmp_path: Path, name: str, overrides: list[str]
) -> None:
    assert trained(dataset, name, overrides, tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("vanishing", ["train.diagnose_every=5"], "The gradient vanishes on its way back"),
        (
            "mlp",
            ["train.epochs=2", "model.layers.0.init=zeros", "model.layers.2.init=zeros"],
            "weights that begin equal",
        ),
        ("mlp", ["train.epochs=3", "train.learning_rate=30", "train.schedule=constant"], "a ReLU that is 0 passes no"),
    ],
)
def test_a_real_training_that_learns_nothing_is_told_why(
    dataset: DatasetRef, tmp_path: Path, name: str, overrides: list[str], sentence: str
) -> None:
    (found,) = trained(dataset, name, overrides, tmp_path)
    assert found.name == "stands still"
    assert sentence in found.sentence


def test_the_report_has_a_diagnosis_only_where_there_is_one() -> None:
    ill, well = history([0.3, 0.1, 0.01], [0.3, 0.4, 0.42]), history([0.4, 0.2], [0.3, 0.2])
    (finding,) = diagnose(ill)
    page = report(history=ill).decode()
    assert '<h3 id="diagnosis">' in page
    assert finding.sentence in page
    assert '<h3 id="diagnosis">' not in report(history=well).decode()


def test_a_retraining_says_what_is_wrong_after_its_last_epoch(
    dataset: DatasetRef, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="numeral.pipelines"):
        (finding,) = trained(dataset, "vanishing", ["train.diagnose_every=5"], tmp_path)
    assert caplog.messages[-1] == f"stands still: {finding.sentence}"
