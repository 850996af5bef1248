"""Answers: probabilities, and whether there is a digit at all."""

import math

import numpy as np
import pytest

from core.artifact.manifest import Rejection
from core.inference.answers import Answers, digitness
from core.nn.losses import softmax
from tests.floats import assert_same_bits, assert_same_function, by_hand

REJECTION = Rejection(scale=2.0, offset=-3.0, threshold=0.5)


def logits(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, (count, 10)).astype(np.float32)


def answers(count: int) -> Answers:
    return Answers.of(logits(count), 1.0, REJECTION)


def test_digitness_is_a_logistic_regression_on_the_energy_of_the_logits():
    [found] = digitness(np.array([[0.0, math.log(3)]], np.float32), REJECTION).tolist()  # E = log(1 + 3)
    assert found == by_hand(1 / (1 + math.exp(-(2 * math.log(4) - 3))), dtype=np.float32)


def test_higher_logits_mean_a_digit_and_lower_ones_do_not():
    found = Answers.of(np.array([[9.0, 0.0], [0.0, 0.0], [-9.0, -9.0]], np.float32), 1.0, REJECTION)
    assert found.rejected.tolist() == [False, True, True]
    assert found.digitness.argsort().tolist() == [2, 1, 0]


def test_an_image_at_the_threshold_is_taken_for_a_digit():
    z = logits(1)
    [threshold] = digitness(z, REJECTION).tolist()
    assert not Answers.of(z, 1.0, REJECTION.model_copy(update={"threshold": threshold})).rejected.any()


@pytest.mark.parametrize("level", [-3e38, -1e4, 1e4, 3e38])
def test_logits_of_any_size_give_a_probability(level):
    [found] = digitness(np.full((1, 10), level, np.float32), REJECTION).tolist()
    assert found == (1.0 if level > 0 else 0.0)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_temperature_changes_the_probabilities_and_not_the_digitness(temperature):
    plain, tempered = (Answers.of(logits(5), t, REJECTION) for t in (1.0, temperature))
    assert_same_bits(tempered.digitness, plain.digitness)
    assert_same_function(tempered.probabilities, softmax(logits(5) / temperature), terms=10, scale=1.0)


def test_without_a_rejection_every_image_is_certainly_a_digit():
    found = Answers.of(logits(3), 1.0, None)
    assert found.digitness.tolist() == [1.0] * 3
    assert found.rejected.tolist() == [False] * 3
    assert (found.digitness.dtype, found.rejected.dtype) == (np.float32, np.bool_)


def test_no_images_have_no_answers():
    found = answers(0)
    assert (found.probabilities.shape, found.digitness.shape, found.rejected.shape) == ((0, 10), (0,), (0,))
    assert len(found) == 0


def test_answers_can_be_cut_and_joined_again():
    whole = answers(7)
    joined = Answers.joined([whole[:3], whole[3:4], whole[4:]])
    assert [len(whole[:3]), len(whole[3:4]), len(joined)] == [3, 1, 7]
    for name in ("probabilities", "digitness", "rejected"):
        assert_same_bits(getattr(joined, name), getattr(whole, name))


def test_answers_keep_their_order_among_other_images():
    few = answers(2)
    whole = few.among(np.array([False, True, False, True]))
    assert_same_bits(whole.digitness[[1, 3]], few.digitness)
    assert_same_bits(whole.probabilities[[1, 3]], few.probabilities)
    assert whole.rejected[[1, 3]].tolist() == few.rejected.tolist()
    assert not whole.probabilities[[0, 2]].any()
    assert not whole.rejected[[0, 2]].any()
