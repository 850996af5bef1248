from math import log

import numpy as np
import pytest

from core.nn.losses import SoftmaxCrossEntropy, softmax


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_softmax_stands_logits_far_from_zero(dtype: type[np.floating], offset: float) -> None:
    logits = np.array([[1, 2, 3], [0, 0, 0]], dtype) + dtype(offset)
    p = softmax(logits)
    assert p.dtype == dtype
    np.testing.assert_allclose(p[0], np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), rtol=1e-6)
    np.testing.assert_allclose(p[1], 1 / 3, rtol=1e-6)


def test_softmax_of_logits_that_lie_far_apart_is_certain_and_finite() -> None:
    p = softmax(np.array([[1e4, -1e4, 0], [-1e4, -1e4, 1e4]], np.float32))
    assert p.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_softmax_rows_are_probabilities() -> None:
    p = softmax(np.random.default_rng(0).uniform(-50, 50, (1000, 10)).astype(np.float32))
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


def test_softmax_leaves_its_input_alone_unless_told_to_write_there() -> None:
    logits = np.array([[0.0, 1.0]])
    kept = logits.copy()
    p = softmax(logits)
    np.testing.assert_array_equal(logits, kept)
    assert softmax(logits, out=logits) is logits
    np.testing.assert_array_equal(logits, p)


def test_cross_entropy_of_two_examples_worked_by_hand() -> None:
    # Example 0: logits (0, ln 3), so exp is (1, 3), the sum 4 and p = (1/4, 3/4).  True class 1: −log 3/4 = log 4/3.
    # Example 1: logits (ln 4, 0), so exp is (4, 1), the sum 5 and p = (4/5, 1/5).  True class 1: −log 1/5 = log 5.
    # The loss is the mean of the two; dz = (p − onehot) / 2:
    #   example 0: ((1/4 − 0) / 2, (3/4 − 1) / 2) = ( 1/8, −1/8)
    #   example 1: ((4/5 − 0) / 2, (1/5 − 1) / 2) = ( 2/5, −2/5)
    logits, labels = np.array([[0, log(3)], [log(4), 0]]), np.array([1, 1])
    loss = SoftmaxCrossEntropy()
    assert loss.forward(logits, labels) == pytest.approx((log(4 / 3) + log(5)) / 2, abs=1e-15)
    np.testing.assert_allclose(loss.probabilities, [[1 / 4, 3 / 4], [4 / 5, 1 / 5]], atol=1e-15)
    np.testing.assert_allclose(loss.backward(), [[1 / 8, -1 / 8], [2 / 5, -2 / 5]], atol=1e-15)


def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_number_of_classes() -> None:
    assert SoftmaxCrossEntropy().forward(np.zeros((4, 10)), np.arange(4)) == pytest.approx(log(10))


def test_a_certain_mistake_has_a_finite_loss_and_gradient() -> None:
    loss = SoftmaxCrossEntropy()
    # p of the true class underflows to 0, yet −log p = 20000 is known from the logits.
    assert loss.forward(np.array([[1e4, -1e4]], np.float32), np.array([1])) == 2e4
    assert loss.backward().tolist() == [[1, -1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.intp])
def test_labels_may_be_of_any_integer_type(dtype: type[np.integer]) -> None:
    loss = SoftmaxCrossEntropy()
    logits = np.random.default_rng(0).standard_normal((20, 10))
    labels = np.arange(20) % 10
    expected = loss.forward(logits, labels), loss.backward().copy()
    assert loss.forward(logits, labels.astype(dtype)) == expected[0]
    np.testing.assert_array_equal(loss.backward(), expected[1])


def test_batches_of_changing_length_and_type_do_not_disturb_each_other() -> None:
    rng, shared = np.random.default_rng(0), SoftmaxCrossEntropy()
    for count, dtype in [(32, np.float32), (7, np.float32), (7, np.float64), (32, np.float64), (1, np.float32)]:
        logits, labels = rng.standard_normal((count, 10)).astype(dtype), rng.integers(0, 10, count)
        fresh = SoftmaxCrossEntropy()
        assert shared.forward(logits, labels) == fresh.forward(logits, labels)
        np.testing.assert_array_equal(shared.backward(), fresh.backward())


def test_the_logits_are_left_alone() -> None:
    logits = np.random.default_rng(0).standard_normal((5, 10))
    kept = logits.copy()
    loss = SoftmaxCrossEntropy()
    loss.forward(logits, np.arange(5))
    loss.backward()
    np.testing.assert_array_equal(logits, kept)
