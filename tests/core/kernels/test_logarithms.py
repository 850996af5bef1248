import numpy as np

from core.kernels.arrays import Scratch
from core.kernels.logarithms import log_mean_exp, log_softmax
from tests.floats import by_hand


def test_log_softmax_overwrites_logits_by_the_logarithms_of_their_probabilities() -> None:
    z = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]])
    assert log_softmax(z, Scratch(float)) is z
    assert np.exp(z) == by_hand([[1 / 8, 2 / 8, 5 / 8], [3 / 8, 3 / 8, 2 / 8]])


def test_log_mean_exp_is_taken_over_the_second_axis() -> None:
    z = np.log([[[1.0, 8.0], [3.0, 2.0]]])  # (1, 2, 2)
    assert np.exp(log_mean_exp(z, Scratch(float))) == by_hand([[2, 5]])


def test_logarithms_of_probabilities_too_small_for_float32_are_finite() -> None:
    z = np.array([[[0.0, -200.0], [0.0, -300.0]]], np.float32)
    logp = log_softmax(z, Scratch(np.float32))
    assert logp[0, :, 1].tolist() == [-200, -300]
    assert log_mean_exp(logp, Scratch(np.float32))[0, 1] == np.float32(-200 - np.log(2))
