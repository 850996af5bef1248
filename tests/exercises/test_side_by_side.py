"""The same step in NumPy and in PyTorch."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from exercises import side_by_side
from exercises.catalog import ROOT
from tests.exercises.learner import environment


@pytest.fixture(scope="module")
def ours():
    return side_by_side.ours(*side_by_side._batch())


def test_logits_loss_gradients_and_weights_are_reported(ours):
    text, equal = side_by_side.report(ours, ours)
    assert equal
    for name in ("logits", "loss", "dW1", "db1", "dW2", "db2", "W1 after a step", "b2 after a step"):
        assert f"\n{name} " in text


def test_numbers_that_differ_are_reported(ours):
    text, equal = side_by_side.report(ours, ours | {"dW1": ours["dW1"] * 1.01})
    assert not equal
    assert "They differ by more than rounding leaves" in text


def test_the_weights_after_a_step_are_the_first_ones_less_the_gradients(ours):
    first = side_by_side.NETWORKS["mlp"](np.random.default_rng(1))
    step = first[2][1]["b"] - side_by_side.RATE * ours["db2"]
    assert np.array_equal(step.astype(np.float32), ours["b2 after a step"])


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_both_agree_up_to_rounding():
    assert side_by_side.main() == 0


def test_without_pytorch_a_sentence_says_how_to_install_it(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError\n")
    path = f"{tmp_path}:{ROOT}"
    command = [sys.executable, "-m", "exercises", "torch"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment() | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("PyTorch is not installed.")
    assert "pip install torch" in done.stderr
