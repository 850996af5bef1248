"""Whole sweeps, on a small data set: what they come to, and that no kill changes it."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from core.data.durable import UNFINISHED
from core.errors import ConfigError
from core.shipped import ROOT
from pipelines.recipe import load_recipe
from pipelines.retrain import steps, training
from pipelines.retrain.run import Run
from pipelines.sweep import sweep_job as conduct
from pipelines.sweep.ledger import Ledger
from pipelines.sweep.space import Between, OneOf, Space
from pipelines.sweep.swept import Swept
from pipelines.workers import Processes
from tests.core.artifact.bucket_server import environment_of, faulty_bucket
from tests.pipelines.sweep.sweeps import (
    DivergingProcesses,
    DyingOnce,
    DyingOnDask,
    DyingProcesses,
    decided,
    order_in,
    plan_of,
    sweep,
)

TRIALS = 4


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, dataset) -> Swept:
    """What a sweep comes to that nothing disturbs."""
    return sweep(tmp_path_factory.mktemp("undisturbed"), dataset, TRIALS)


def test_the_first_trial_is_the_recipe_as_it_is_and_the_others_differ(undisturbed):
    assert [row.number for row in undisturbed.trials] == list(range(TRIALS))
    assert [row.own for row in undisturbed.trials] == [True, False, False, False]
    assert undisturbed.trials[0].values["train.learning_rate"] == "0.1"
    assert len({tuple(row.values.items()) for row in undisturbed.trials}) == TRIALS


def test_the_best_three_are_trained_with_three_seeds_the_search_has_not_used(undisturbed):
    losses = {row.number: row.validation_loss for row in undisturbed.trials}
    assert {one.number for one in undisturbed.finalists} == set(sorted(losses, key=losses.get)[:3])
    assert {one.seeds for one in undisturbed.finalists} == {(2, 3, 4)}
    means = [one.mean("loss") for one in undisturbed.finalists]
    assert means == sorted(means)
    assert undisturbed.best == undisturbed.finalists[0].number
    assert all(len(set(one.weights_sha256)) == 3 for one in undisturbed.finalists)


def test_a_trial_has_the_bits_that_a_retraining_with_its_values_has(undisturbed, dataset, tmp_path):
    row = undisturbed.trials[1]
    sets = [f"{key}={value}" for key, value in row.values.items()]
    recipe = load_recipe("mlp", [*order_in(tmp_path).overrides, *sets])
    run = Run.of(dataset, recipe, tmp_path)
    trained = training.train(dataset, steps.fit_normalizer(run), recipe, run.work, lambda report: None)
    assert trained.weights.sha256 == row.weights_sha256


def test_the_best_is_published_once_as_challenger_in_a_bucket(undisturbed, dataset, tmp_path, monkeypatch):
    with faulty_bucket() as bucket:
        for name, value in environment_of(bucket).items():
            monkeypatch.setenv(name, value)
        order = order_in(tmp_path).model_copy(update={"repository": "s3://models/swept"})
        for _ in range(2):
            found = conduct.sweep_on(dataset, order, plan_of(TRIALS, publish=True), Processes(1))
            assert found.published is not None
            assert found.published.version == 1
        assert order.store.alias("challenger").target() == 1
        assert order.store.alias().target() is None
        assert order.store.verify(1).recipe_name == "mlp"
    assert decided(found) == decided(undisturbed)


def test_a_sweep_that_is_killed_again_and_again_comes_to_the_same(undisturbed, dataset, tmp_path):
    described = tmp_path / "dataset.json"
    described.write_text(dataset.model_dump_json())

    def run(kept: int) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-m", "tests.pipelines.sweep.sweeps", str(tmp_path), str(described), str(TRIALS)]
        return subprocess.run([*words, str(kept)], cwd=ROOT, capture_output=True, text=True, check=False)

    # Right before the end of a trial is written down, and in the middle of a later one.
    for kept in (6, 13):
        assert run(kept).returncode == -signal.SIGKILL
    ended = run(0)
    assert ended.returncode == 0, ended.stderr
    assert decided(Swept.model_validate_json(ended.stdout)) == decided(undisturbed)


def test_a_sweep_whose_worker_dies_comes_to_the_same(undisturbed, dataset, tmp_path):
    crew = DyingProcesses(1)
    crew.dying = DyingOnce("trial-0001, epoch 2", tmp_path / "died")
    swept = conduct.sweep_on(dataset, order_in(tmp_path), plan_of(TRIALS), crew)
    assert crew.dying.mark.exists()
    assert decided(swept) == decided(undisturbed)


def test_a_sweep_on_dask_whose_worker_dies_comes_to_the_same(undisturbed, dataset, tmp_path):
    pytest.importorskip("distributed")
    crew = DyingOnDask(None, 1)
    crew.dying = DyingOnce("trial-0001, epoch 2", tmp_path / "died")
    swept = conduct.sweep_on(dataset, order_in(tmp_path), plan_of(TRIALS), crew)
    assert crew.dying.mark.exists()
    assert decided(swept) == decided(undisturbed)


def test_two_workers_do_every_trial_once(undisturbed, dataset, tmp_path):
    swept = sweep(tmp_path, dataset, TRIALS, workers=2)
    assert [row.number for row in swept.trials] == list(range(TRIALS))
    assert [row.state for row in swept.trials] == ["complete"] * TRIALS
    assert swept.trials[0].weights_sha256 == undisturbed.trials[0].weights_sha256


def test_more_trials_go_on_with_what_is_there(undisturbed, dataset, tmp_path):
    first = sweep(tmp_path, dataset, 1)
    whole = sweep(tmp_path, dataset, TRIALS)
    assert [row.model_dump() for row in whole.trials[:1]] == [row.model_dump() for row in first.trials]
    assert decided(whole) == decided(undisturbed)
    fewer = sweep(tmp_path, dataset, 1)
    assert decided(fewer) == decided(undisturbed)
    assert fewer.sentence.startswith(f"{TRIALS} of {TRIALS} trials have ended")


def test_a_trial_that_diverges_with_another_seed_is_no_finalist_but_named(dataset, tmp_path):
    crew = DivergingProcesses(1)
    crew.part = "trial-0000-seed-3"
    swept = conduct.sweep_on(dataset, order_in(tmp_path), plan_of(2), crew)
    assert [one.number for one in swept.finalists] == [1]
    assert [str(one) for one in swept.unsteady] == ["trial 0 failed with seed 3: step 7: the loss is inf"]
    assert "; trial 0 failed with seed 3: step 7" in swept.sentence


def test_where_all_of_the_best_diverge_nothing_is_published_and_it_says_why(dataset, tmp_path, caplog):
    crew = DivergingProcesses(1)
    crew.part = "-seed-"
    with caplog.at_level("INFO", logger="numeral.pipelines"):
        swept = conduct.sweep_on(dataset, order_in(tmp_path), plan_of(1, publish=True), crew)
    assert (swept.finalists, swept.published) == ((), None)
    assert len(swept.unsteady) == 3
    said = "nothing is published: trial 0 failed with seed 2: step 7: the loss is inf; trial 0 failed with seed 3: "
    assert caplog.messages[-1].startswith(said)
    assert caplog.messages[-1].endswith("; try a narrower --space")


def test_a_trial_that_diverges_is_a_finding_and_ends_nothing(dataset, tmp_path):
    space = Space("wild.toml", (OneOf("train.learning_rate", ("0.1", "1e30")),))
    swept = sweep(tmp_path, dataset, 3, space=space, seed=1)
    failed = [row for row in swept.trials if row.values["train.learning_rate"] == "1e30"]
    assert failed
    assert {row.state for row in failed} == {"failed"}
    assert all("not finite" in row.reason or "finite" in row.reason for row in failed)
    assert swept.best_row is not None
    assert swept.best_row.values["train.learning_rate"] == "0.1"


def test_the_median_pruner_ends_early_what_promises_little(dataset, tmp_path):
    space = Space("rates.toml", (Between("train.learning_rate", 1e-6, 0.3, log=True),))
    swept = sweep(tmp_path, dataset, 10, space=space)
    pruned = [row for row in swept.trials if row.state == "pruned"]
    complete = [row.validation_loss for row in swept.trials if row.state == "complete"]
    assert pruned
    assert all(row.epochs < row.planned for row in pruned)
    assert min(row.validation_loss for row in pruned) > min(complete)
    assert swept.cpu_seconds_saved > 0


def test_without_a_pruner_every_trial_is_trained_to_its_end(dataset, tmp_path):
    space = Space("rates.toml", (Between("train.learning_rate", 1e-6, 0.3, log=True),))
    swept = sweep(tmp_path, dataset, 2, space=space, pruner="none", objective="accuracy")
    assert {row.state for row in swept.trials} == {"complete"}
    assert swept.cpu_seconds_saved == 0
    accuracies = [one.mean("accuracy") for one in swept.finalists]
    assert accuracies == sorted(accuracies, reverse=True)


def test_the_report_is_there_while_a_sweep_runs_and_nothing_else_is_left(dataset, tmp_path, monkeypatch):
    written: list[str] = []
    write = Ledger.write

    def watched(self, *, finished):
        swept = write(self, finished=finished)
        written.append(Path(swept.report).read_text())
        return swept

    monkeypatch.setattr(Ledger, "write", watched)
    monkeypatch.setattr("pipelines.sweep.ledger._FIRST", 0.0)
    swept = sweep(tmp_path, dataset, 1, output=tmp_path / "report.html")
    assert swept.report == str(tmp_path / "report.html")
    assert "<strong>Running</strong>" in written[0]
    assert "<strong>Finished</strong>" in written[-1]
    (folder,) = (tmp_path / "cache" / "sweeps").iterdir()  # and no lock beside it
    assert not list(folder.rglob("*.tmp"))
    first = swept.finalists[0]  # whose checkpoint a later run may publish
    (kept,) = folder.glob("trainings/*.checkpoint")
    assert kept.name == f"trial-{first.number:04}-seed-{first.middle('loss')}.checkpoint"


def test_what_a_killed_sweep_was_writing_is_gone_after_the_next_one(dataset, tmp_path):
    sweep(tmp_path, dataset, 1, timeout=timedelta(microseconds=1))
    (folder,) = (tmp_path / "cache" / "sweeps").iterdir()
    (folder / "trainings").mkdir()
    left = folder / ".report.html.1.tmp", folder / "trainings" / ".trial-0000.checkpoint.1.tmp"
    for file in left:
        assert file.match(UNFINISHED)
        file.touch()
    sweep(tmp_path, dataset, 1, timeout=timedelta(microseconds=1))
    assert not any(file.exists() for file in left)


def test_after_the_timeout_no_trial_begins_and_the_next_run_goes_on(dataset, tmp_path):
    late = sweep(tmp_path, dataset, 1, timeout=timedelta(microseconds=1))
    assert late.trials == late.finalists == ()
    assert (late.finished, late.timed_out) == (False, True)
    assert late.sentence == "0 of 1 trials have ended, 0 of them early; none is complete"
    whole = sweep(tmp_path, dataset, 1)
    assert (whole.finished, whole.timed_out, len(whole.trials)) == (True, False, 1)


def test_an_ensemble_is_refused_with_what_to_do_instead(tmp_path):
    with pytest.raises(ConfigError, match=r"trains 3 networks, expected a recipe of one; sweep a recipe of one"):
        conduct.sweep(order_in(tmp_path, "train.members=3"), plan_of(1), Processes(1))
