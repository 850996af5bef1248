"""A training that is killed at any moment is resumed from its checkpoint and ends with the same bits."""

import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.durable import UNFINISHED
from core.errors import StorageError, TrainingError
from core.optim.optimizers import OPTIMIZERS
from core.train.checkpoint import Checkpoint
from core.train.report import EpochReport
from core.train.training import Training
from tests.core.train import killed
from tests.core.train.killed import EPOCHS, STEPS_AN_EPOCH, begin, digest, train

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "work" / "train.checkpoint", "a training")


def run(checkpoint: Checkpoint, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.core.train.killed", str(checkpoint.path), *options],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def uninterrupted(folder: Path, kind: str = "adam", **changes: Any) -> Training:
    training = begin(kind)
    train(Checkpoint(folder / "uninterrupted", "a training"), training, **changes)
    return training


def timeless(reports: list[EpochReport]) -> list[EpochReport]:
    return [replace(report, seconds=0, images_per_second=0) for report in reports]


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_killed_in_the_middle_of_an_epoch_it_ends_with_the_same_bits(
    kind: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    whole = uninterrupted(tmp_path, kind)
    for at in (STEPS_AN_EPOCH // 2, 2 * STEPS_AN_EPOCH + 3, 4 * STEPS_AN_EPOCH + 9):  # in epochs 1, 3 and 5
        died = run(checkpoint, f"--kind={kind}", f"--at-step={at}")
        assert died.returncode == -signal.SIGKILL, died.stderr
    assert run(checkpoint, f"--kind={kind}").stdout.split() == ["resumed", str(EPOCHS), digest(whole.network)]


def test_killed_while_it_writes_a_checkpoint_it_resumes_from_the_previous_one(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    whole = uninterrupted(tmp_path)
    assert run(checkpoint, "--at-save=3").returncode == -signal.SIGKILL
    training = begin()
    assert checkpoint.load(training)
    assert len(training.reports) == 2
    assert run(checkpoint).stdout.split() == ["resumed", str(EPOCHS), digest(whole.network)]
    (left,) = {*checkpoint.path.parent.iterdir()} - {checkpoint.path}
    assert left.match(UNFINISHED), "half-written, under a name of its own that the work folder's next holder removes"


def test_killed_before_the_first_checkpoint_it_starts_again(checkpoint: Checkpoint, tmp_path: Path) -> None:
    assert run(checkpoint, "--at-save=1").returncode == -signal.SIGKILL
    assert run(checkpoint).stdout.split() == ["new", str(EPOCHS), digest(uninterrupted(tmp_path).network)]


def test_early_stopping_gives_the_same_bits_too(checkpoint: Checkpoint, tmp_path: Path) -> None:
    whole = uninterrupted(tmp_path, patience=1)
    assert whole.reports[-1].stopped, "the example must stop early"
    stop = len(whole.reports)
    assert 3 < stop < EPOCHS
    died = run(checkpoint, "--patience=1", f"--at-step={(stop - 1) * STEPS_AN_EPOCH + 5}")  # in its last epoch
    assert died.returncode == -signal.SIGKILL
    for _ in range(2):  # and once more, with nothing left to do but to give back the best weights
        assert run(checkpoint, "--patience=1").stdout.split() == ["resumed", str(stop), digest(whole.network)]


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
@pytest.mark.parametrize("average", [False, True])
def test_a_checkpoint_holds_all_that_changes(kind: str, average: bool, checkpoint: Checkpoint, tmp_path: Path) -> None:
    whole = begin(kind, average=average)
    train(Checkpoint(tmp_path / "whole", "a training"), whole)
    stopped = begin(kind, average=average)
    for report in killed.reports(stopped):
        checkpoint.save(stopped)
        if report.epoch == 2:
            break
    resumed = begin(kind, average=average)
    assert train(checkpoint, resumed)
    assert digest(resumed.network) == digest(whole.network)
    assert timeless(resumed.reports) == timeless(whole.reports)
    assert resumed.reports[:2] == stopped.reports
    assert resumed.reports[3].diagnostics, "measures of the inside of the network are reported as well"
    for name, array in whole.state()[0].items():
        np.testing.assert_array_equal(resumed.state()[0][name], array)
    for part in ("network_random", "generators"):
        assert resumed.state()[1][part] == whole.state()[1][part]


def test_without_a_checkpoint_nothing_is_loaded(checkpoint: Checkpoint) -> None:
    training = begin()
    before = digest(training.network)
    assert not checkpoint.load(training)
    assert digest(training.network) == before


def saved(checkpoint: Checkpoint) -> bytes:
    training = begin()
    next(killed.reports(training))
    checkpoint.save(training)
    return checkpoint.path.read_bytes()


def test_a_damaged_file_is_refused_wherever_the_damage_is(checkpoint: Checkpoint) -> None:
    data = saved(checkpoint)
    head = data.index(b"PK")
    places = [*range(head - 1), *range(head, len(data), 97), len(data) - 1]  # the head, and all over the rest
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        checkpoint.path.write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"train\.checkpoint: .*damaged.*Delete it to train from the start"):
            checkpoint.load(begin())


@pytest.mark.parametrize("keep", [0, 10, 60, 200, -1])
def test_a_file_that_was_cut_off_is_refused(keep: int, checkpoint: Checkpoint) -> None:
    checkpoint.path.write_bytes(saved(checkpoint)[:keep])
    with pytest.raises(TrainingError, match=r"train\.checkpoint: .*damaged"):
        checkpoint.load(begin())


def test_a_file_that_is_no_checkpoint_is_refused(checkpoint: Checkpoint) -> None:
    checkpoint.path.parent.mkdir()
    np.savez(checkpoint.path.with_suffix(".npz"), x=np.zeros(3))
    checkpoint.path.with_suffix(".npz").rename(checkpoint.path)
    with pytest.raises(TrainingError, match=r"begins with b'PK.*expected b'numeral training checkpoint 1\\n'"):
        checkpoint.load(begin())


def test_a_checkpoint_that_cannot_be_written_is_an_error_and_the_previous_one_remains(checkpoint: Checkpoint) -> None:
    data = saved(checkpoint)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StorageError, match=r"cannot write .*train\.checkpoint: it is larger than the limit"):
            checkpoint.save(begin())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert checkpoint.path.read_bytes() == data
    assert list(checkpoint.path.parent.iterdir()) == [checkpoint.path], "nothing half-written is left"


def test_a_folder_in_place_of_the_checkpoint_is_an_error(checkpoint: Checkpoint) -> None:
    checkpoint.path.mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"train\.checkpoint: cannot be read"):
        checkpoint.load(begin())


def test_the_checkpoint_of_another_recipe_is_refused_and_changes_nothing(checkpoint: Checkpoint) -> None:
    saved(checkpoint)
    training = begin()
    before = digest(training.network)
    with pytest.raises(TrainingError, match="it is of the training a training, not of another training. Delete it"):
        replace(checkpoint, identity="another training").load(training)
    assert digest(training.network) == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: begin(average=False), "it holds average, which this training has not"),
        (lambda: begin("momentum"), "momentum: a state of m, steps, v"),
        (lambda: replace(begin(), generators={}), "it holds the generators noise, order, this training has none"),
    ],
)
def test_the_state_of_another_training_is_refused(other: Any, message: str, checkpoint: Checkpoint) -> None:
    saved(checkpoint)
    with pytest.raises(TrainingError, match=message):
        checkpoint.load(other())
