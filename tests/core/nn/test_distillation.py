"""Learning from a teacher's answers beside the labels."""

from collections.abc import Callable
from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError
from core.kernels.arrays import Array
from core.nn.distillation import Distillation
from core.nn.losses import OpenSetCrossEntropy, SoftmaxCrossEntropy, softmax
from tests.floats import assert_close, assert_same_bits, assert_same_function, by_hand

K = 10
X = np.zeros((7, 3))


def random(seed: int = 0, scale: float = 2.0) -> NDArray[np.float64]:
    return scale * np.random.default_rng(seed).standard_normal((len(X), K))


def taught(loss: SoftmaxCrossEntropy | OpenSetCrossEntropy, answer: Array, **options: float) -> Distillation:
    """A loss whose teacher has answered already."""
    distillation = Distillation(loss, lambda x: answer, **options)
    distillation.see(X)
    return distillation


def test_an_example_worked_by_hand() -> None:
    # z = (0, 2 ln 3) and τ = 2, so z/τ = (0, ln 3) and p = (1/4, 3/4); v = 0, so q = (1/2, 1/2).
    #   Σ q log (q/p) = 1/2 log 2 + 1/2 log 2/3 = 1/2 log 4/3
    # The label is 1; softmax(z) = (1/10, 9/10), so ℓ = log 10/9 and dℓ = (1/10, −1/10).
    # With α = 1/4:  L = 3/4 log 10/9 + 1/4 · 4 · 1/2 log 4/3
    #               dz = 3/4 (1/10, −1/10) + 1/4 · 2 · (1/4 − 1/2, 3/4 − 1/2) = (0.075 − 0.125, −0.075 + 0.125)
    loss = taught(SoftmaxCrossEntropy(), np.zeros((1, 2)), weight=0.25, temperature=2)
    found = loss.forward(np.array([[0, 2 * log(3)]]), np.array([1]))
    assert found == by_hand(0.75 * log(10 / 9) + 0.5 * log(4 / 3))
    assert loss.backward() == by_hand([[-0.05, 0.05]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("labeled", [SoftmaxCrossEntropy, OpenSetCrossEntropy])
def test_its_gradient_is_its_slope_in_the_logits(
    labeled: Callable[..., SoftmaxCrossEntropy | OpenSetCrossEntropy], weight: float, temperature: float
) -> None:
    none = K if labeled is OpenSetCrossEntropy else 0
    z, labels, rng = random(1), np.array([none, 0, none, 3, 9, none, 5]), np.random.default_rng(2)
    loss = taught(labeled(label_smoothing=0.1), random(3), weight=weight, temperature=temperature)
    loss.forward(z, labels)
    gradient = loss.backward().copy()
    for _ in range(3):
        step = 1e-5 * rng.standard_normal(z.shape)
        slope = (loss.forward(z + step, labels) - loss.forward(z - step, labels)) / 2
        assert_close(slope, np.vdot(gradient, step), rel=1e-6, why="a difference quotient of a step of 1e-5")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_weight_of_0_is_the_loss_of_the_labels(dtype: type[np.floating]) -> None:
    z, labels, alone = random(1).astype(dtype), np.arange(7), SoftmaxCrossEntropy()
    loss = taught(SoftmaxCrossEntropy(), random(2).astype(dtype), weight=0)
    assert loss.forward(z, labels) == alone.forward(z, labels)
    assert_same_bits(loss.backward(), alone.backward())


def test_a_student_that_answers_as_its_teacher_has_nothing_left_to_learn_from_it() -> None:
    z = random(1)
    loss = taught(SoftmaxCrossEntropy(), z + 3, weight=1, temperature=2)  # the same number on all logits says nothing
    assert_same_function(loss.forward(z, np.arange(7)), 0, terms=7 * K, scale=10)
    assert_same_function(loss.backward(), np.zeros_like(z), terms=K, scale=1)


def test_the_student_is_drawn_to_the_small_probabilities_too() -> None:
    z, v = np.zeros((1, 3)), np.array([[9.0, 1.0, -1.0]])  # both say little of classes 1 and 2
    loss = taught(SoftmaxCrossEntropy(), v, weight=1, temperature=5)
    for _ in range(3000):
        loss.forward(z, np.array([0]))
        z -= loss.backward()
    assert_close(softmax(z), softmax(v), rel=1e-3, why="gradient descent has come near, not to the end")


def test_at_a_high_temperature_the_difference_of_the_logits_is_the_gradient() -> None:
    z, v = (logits - logits.mean(axis=1, keepdims=True) for logits in (random(1), random(2)))
    loss = taught(SoftmaxCrossEntropy(), v, weight=1, temperature=1e4)
    loss.forward(z, np.arange(7))
    assert_close(loss.backward(), (z - v) / K / 7, abs=1e-4, why="eq. 4 of the paper, which neglects terms in 1/τ")


def test_what_is_no_digit_is_learned_from_its_label_alone() -> None:
    z, labels, alone = random(1), np.array([K, 0, K, 3, 9, K, 5]), OpenSetCrossEntropy()
    loss = taught(OpenSetCrossEntropy(), random(2), weight=0.8, temperature=3)
    alone.forward(z, labels)
    loss.forward(z, labels)
    expected, found = alone.backward(), loss.backward()
    assert_same_bits(found[labels == K], expected[labels == K])
    assert (found[labels < K] != expected[labels < K]).any()
    assert_same_bits(loss.predicted(z), alone.predicted(z))


def test_each_batch_has_its_own_answer() -> None:
    z, labels = random(1), np.arange(7)
    loss = Distillation(SoftmaxCrossEntropy(), lambda x: x @ np.ones((3, K)) * np.arange(K), weight=1)
    loss.see(np.zeros((7, 3)))
    before = loss.forward(z, labels)
    loss.see(np.ones((7, 3)))
    assert loss.forward(z, labels) != before


@pytest.mark.parametrize("certain", [1e4, -1e4])
def test_a_teacher_that_is_certain_gives_a_finite_loss(certain: float) -> None:
    v = np.array([[certain, 0.0]], np.float32)
    loss = taught(SoftmaxCrossEntropy(), v, weight=1)
    assert np.isfinite(loss.forward(-v, np.array([0])))
    assert np.isfinite(loss.backward()).all()


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_an_impossible_weight_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError, match=r"weight = .*, expected 0 to 1"):
        taught(SoftmaxCrossEntropy(), random(), weight=weight)


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), float("nan")])
def test_an_impossible_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ConfigError, match=r"temperature = .*, expected a number above 0"):
        taught(SoftmaxCrossEntropy(), random(), temperature=temperature)
