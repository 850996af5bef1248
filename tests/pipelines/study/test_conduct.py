"""Real studies on a few images: what is trained, what is kept, and what is not trained again."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import ConfigError
from pipelines import provenance
from pipelines.references import DatasetRef
from pipelines.study.conduct import Row, conduct, reclaim
from pipelines.study.trial_run import TrialRun, train_variant
from pipelines.study.variant import Variant
from pipelines.study.variant_outcome import Outcome
from tests.floats import by_hand

FEW = ("data.validation_images=100", "train.epochs=2", "model.layers.0.units=8", "train.diagnose_every=4")


def variant(name: str, *overrides: str) -> Variant:
    return Variant(name, "mlp", (*FEW, *overrides))


def trial(dataset: DatasetRef, *overrides: str, images: int = 120) -> TrialRun:
    return TrialRun("one", dataset.files, variant("one", *overrides).resolved(), images)


def test_a_variant_is_trained_on_as_many_images_and_measured_on_the_others(dataset: DatasetRef) -> None:
    outcome = train_variant(trial(dataset))
    assert (outcome.images, outcome.validation_images) == (120, 100)
    assert [report.epoch for report in outcome.history] == [1, 2]
    assert [step.step for report in outcome.history for step in report.diagnostics] == [0, 4]
    assert outcome.initial_loss > 1
    assert outcome.accuracy == outcome.history[-1].validation_accuracy
    assert outcome.parameters == 784 * 8 + 8 + 8 * 10 + 10


def test_the_same_variant_gives_the_same_outcome_and_reads_back_as_it_was(dataset: DatasetRef) -> None:
    first, second = (train_variant(trial(dataset)) for _ in range(2))
    assert [report.validation_loss for report in first.history] == [r.validation_loss for r in second.history]
    assert Outcome.model_validate_json(first.model_dump_json()) == first


def test_a_training_that_diverges_is_an_outcome_with_its_reason(dataset: DatasetRef) -> None:
    outcome = train_variant(trial(dataset, "train.learning_rate=1e30"))
    assert outcome.diverged is not None
    assert outcome.accuracy is outcome.interval is None
    (finding,) = outcome.findings
    assert finding.name == "diverged"
    assert "learning rate 1e+30" in finding.sentence
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome


def test_weights_that_are_too_large_from_the_start_are_named_as_the_cause(dataset: DatasetRef) -> None:
    layers = '{kind="dense", units=64, init="unit_normal"}, {kind="relu"}, ' * 6 + '{kind="dense", units=10}'
    (finding,) = train_variant(trial(dataset, f"model.layers=[{layers}]")).findings
    assert "Even before the first step the loss was" in finding.sentence
    assert finding.sentence.endswith("the initial weights are too large.")


def test_where_the_best_weights_are_kept_the_outcome_is_that_of_their_epoch(dataset: DatasetRef) -> None:
    outcome = train_variant(trial(dataset, "train.keep_best=true", "train.epochs=12", "train.learning_rate=1.5"))
    losses = [report.validation_loss for report in outcome.history]
    assert outcome.kept is not None
    assert outcome.kept.validation_loss == min(losses)


def test_images_a_second_are_those_of_all_epochs_together() -> None:
    report = Outcome.model_validate(
        {
            "history": [
                {
                    "epoch": 1,
                    "epochs": 1,
                    "train_loss": 1,
                    "train_accuracy": 0.5,
                    "validation_loss": 1,
                    "validation_accuracy": 0.5,
                    "learning_rate": 0.1,
                    "seconds": 0.5,
                    "images_per_second": 0,
                }
            ],
            "initial_loss": 2,
            "initial_accuracy": 0.1,
            "parameters": 1,
            "seconds": 0.5,
            "images": 100,
            "validation_images": 10,
            "kept_epoch": 1,
        }
    )
    assert report.images_per_second == by_hand(200.0)


def test_data_images_recipe_and_code_decide_which_outcome_is_reused(
    dataset: DatasetRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trial(dataset)
    name, file = next(iter(whole.files.items()))
    other = replace(whole, files=dict(whole.files) | {name: file.model_copy(update={"sha256": "0" * 64})})
    fingerprints = {
        whole.fingerprint,
        other.fingerprint,
        trial(dataset, images=121).fingerprint,
        trial(dataset, "train.seed=9").fingerprint,
    }
    assert trial(dataset).fingerprint in fingerprints
    digest = provenance.digest_of_sources
    for folder in ("core/train", "pipelines/study"):

        def changed(*parts: str, folder: str = folder) -> str:
            return digest(*parts) + " and a change" * any(part.startswith(folder) for part in parts)

        with monkeypatch.context() as patched:
            patched.setattr(provenance, "digest_of_sources", changed)
            fingerprints.add(trial(dataset).fingerprint)
    assert len(fingerprints) == 6


def test_a_study_trains_only_what_no_earlier_one_has_trained(dataset: DatasetRef, tmp_path: Path) -> None:
    told: list[tuple[str, bool, int]] = []

    def on_row(row: Row, done: int) -> None:
        told.append((row.variant.name, row.reused, done))

    a, b, c = variant("a"), variant("b", "train.seed=2"), variant("c", "train.seed=3")
    first = conduct([a, b], dataset, 120, tmp_path, 2, on_row)
    assert [row.variant for row in first] == [a, b]
    assert sorted(done for *_, done in told) == [1, 2]
    next(tmp_path.glob("*.json")).write_text("{")  # a disk that lost one of them
    told.clear()
    second = conduct([a, c, b], dataset, 120, tmp_path, 1, on_row)
    assert sorted(row.reused for row in second) == [False, False, True]
    assert [done for *_, done in told] == [1, 2, 3]
    same = {row.variant.name: [e.validation_loss for e in row.outcome.history] for row in second}
    assert all([e.validation_loss for e in row.outcome.history] == same[row.variant.name] for row in first)


def test_two_variants_that_are_the_same_are_trained_once_and_both_answered(dataset: DatasetRef, tmp_path: Path) -> None:
    one, other = conduct(
        [variant("1", "train.learning_rate=1"), variant("1.0", "train.learning_rate=1.0")],
        *(dataset, 120, tmp_path, 2, lambda row, done: None),
    )
    assert one.outcome == other.outcome
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_more_images_than_there_are_are_refused_before_anything_is_trained(dataset: DatasetRef, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--images 501: there are 500 to train on; the others validate"):
        conduct([variant("a")], dataset, 501, tmp_path, 1, lambda row, done: None)
    assert not list(tmp_path.iterdir())


def test_outcomes_that_nobody_asked_for_in_a_long_time_are_removed(tmp_path: Path) -> None:
    old, young, page = (tmp_path / name for name in ("old.json", "young.json", "depth.html"))
    for file in (old, young, page):
        file.write_text("{}")
    then = time.time() - 15 * 86_400
    os.utime(old, (then, then))
    os.utime(page, (then, then))
    reclaim(tmp_path, timedelta(days=14))
    assert not old.exists()
    assert young.exists()
    assert page.exists()
