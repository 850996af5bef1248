"""A worker's part: an epoch of a training, from a checkpoint, with data that it may have to bring itself."""

from dataclasses import replace

import pytest

from core.errors import DigestError
from core.shipped import ROOT
from pipelines import provenance
from pipelines.recipe import load_recipe
from pipelines.sweep import rung as rungs
from pipelines.sweep.rung import Rung, climb
from tests.pipelines.sweep.sweeps import SMALL


@pytest.fixture
def first(dataset):
    """The first rung of a training of three."""
    rungs._here.live = None
    recipe = load_recipe("mlp", [*SMALL, "train.keep_best=true"])
    return Rung("trial", recipe, dataset, (), provenance.fingerprint(dataset.deciding, recipe), 1, None)


def climbed_to_the_end(rung, *, in_memory):
    found = climb(rung)
    while not found.ended:
        if not in_memory:
            rungs._here.live = None
        rung = replace(rung, epochs=rung.epochs + 1, checkpoint=found.checkpoint)
        found = climb(rung)
    return found


def test_a_training_from_memory_and_one_from_checkpoints_have_the_same_bits(first):
    memory, checkpoints = (climbed_to_the_end(first, in_memory=kept) for kept in (True, False))
    assert len(memory.epochs) == 3
    # Checkpoints also say how long each epoch took.
    assert replace(memory, cpu_seconds=0, checkpoint=None) == replace(checkpoints, cpu_seconds=0, checkpoint=None)
    assert memory.weights_sha256


def test_a_rung_that_is_done_already_comes_to_what_its_checkpoint_says(first):
    second = climb(replace(first, epochs=2))
    rungs._here.live = None
    again = climb(replace(first, epochs=2, checkpoint=second.checkpoint))
    assert again.epochs == second.epochs
    assert again.checkpoint == second.checkpoint


def test_a_damaged_checkpoint_costs_the_epochs_and_not_the_training(first):
    whole = climb(replace(first, epochs=2))
    rungs._here.live = None
    again = climb(replace(first, epochs=2, checkpoint=whole.checkpoint[:-9]))
    assert again.epochs == whole.epochs


def test_an_epoch_that_an_error_has_broken_off_is_done_again_from_its_beginning(first, monkeypatch):
    begun = climb(first)
    second = replace(first, epochs=2, checkpoint=begun.checkpoint)

    def broken_off(training, *others):
        training.network.vector.value += 1
        raise OSError("no file to work in")

    with monkeypatch.context() as patched:
        patched.setattr(rungs, "fit", broken_off)
        with pytest.raises(OSError, match="no file"):
            climb(second)
    again = climb(second)
    rungs._here.live = None
    assert again.epochs == climb(second).epochs


def test_a_worker_without_the_coordinators_files_brings_the_data_itself(first, tmp_path, monkeypatch):
    """What it downloads is all of MNIST, which is not this small data set: that must be noticed."""
    monkeypatch.setenv("NUMERAL_DATA_DIR", str(tmp_path / "worker"))
    monkeypatch.setenv("NUMERAL_MIRRORS", (ROOT / "data" / "mnist").as_uri())
    elsewhere = {name: ref.model_copy(update={"path": tmp_path / name}) for name, ref in first.dataset.files.items()}
    with pytest.raises(DigestError, match="sha256 .* expected"):
        climb(replace(first, dataset=first.dataset.model_copy(update={"files": elsewhere})))
    assert len(list((tmp_path / "worker" / "mnist").glob("*ubyte*"))) >= 4


def test_a_training_that_diverges_says_why(first):
    recipe = load_recipe("mlp", [*SMALL, "train.learning_rate=1e30"])
    found = climb(replace(first, recipe=recipe, fingerprint="wild"))
    assert "finite" in found.failure
    assert not found.epochs
