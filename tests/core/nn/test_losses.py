from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError
from core.nn.losses import LOSSES, Loss, MeanSquaredError, OpenSetCrossEntropy, SoftmaxCrossEntropy, softmax
from core.registry import construct
from tests.floats import assert_same_function, by_hand


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_softmax_of_large_logits_is_finite(dtype: type[np.floating], offset: float) -> None:
    logits = np.array([[1, 2, 3], [0, 0, 0]], dtype) + dtype(offset)
    p = softmax(logits)
    assert p.dtype == dtype
    assert_same_function(p[0], np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum(), terms=9)
    assert_same_function(p[1], 1 / 3, terms=3)


def test_softmax_of_logits_that_lie_far_apart_is_certain_and_finite() -> None:
    p = softmax(np.array([[1e4, -1e4, 0], [-1e4, -1e4, 1e4]], np.float32))
    assert p.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_softmax_rows_are_probabilities() -> None:
    p = softmax(np.random.default_rng(0).uniform(-50, 50, (1000, 10)).astype(np.float32))
    assert (p >= 0).all()
    assert_same_function(p.sum(axis=1), 1, terms=10)


def test_softmax_leaves_its_input_alone_unless_it_is_the_output_too() -> None:
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
    assert loss.forward(logits, labels) == by_hand((log(4 / 3) + log(5)) / 2)
    assert loss.probabilities == by_hand([[1 / 4, 3 / 4], [4 / 5, 1 / 5]])
    assert loss.backward() == by_hand([[1 / 8, -1 / 8], [2 / 5, -2 / 5]])


def test_equal_logits_have_the_logarithm_of_the_class_count_as_loss() -> None:
    assert SoftmaxCrossEntropy().forward(np.zeros((4, 10)), np.arange(4)) == by_hand(log(10))


def test_a_certain_mistake_has_a_finite_loss_and_gradient() -> None:
    loss = SoftmaxCrossEntropy()
    # p of the true class underflows to 0, yet −log p = 20000 is known from the logits.
    assert loss.forward(np.array([[1e4, -1e4]], np.float32), np.array([1])) == 2e4
    assert loss.backward().tolist() == [[1, -1]]


def test_smoothed_cross_entropy_worked_by_hand() -> None:
    # Logits (0, ln 3): p = (1/4, 3/4). True class 1 and ε = 0.2: q = 0.8·(0, 1) + 0.2/2·(1, 1) = (0.1, 0.9).
    # L = −0.1 log 1/4 − 0.9 log 3/4, and dz = p − q = (0.15, −0.15).
    loss = SoftmaxCrossEntropy(label_smoothing=0.2)
    assert loss.forward(np.array([[0, log(3)]]), np.array([1])) == by_hand(0.1 * log(4) + 0.9 * log(4 / 3))
    assert loss.backward() == by_hand([[0.15, -0.15]])


def test_smoothed_cross_entropy_is_minimal_where_p_is_the_smoothed_target() -> None:
    loss = SoftmaxCrossEntropy(label_smoothing=0.3)
    q = np.array([0.1, 0.1, 0.8])  # 0.7·(0, 0, 1) + 0.3/3
    least = loss.forward(np.log(q)[None], np.array([2]))
    assert least == by_hand(-np.sum(q * np.log(q)))
    assert loss.backward() == by_hand([[0.0, 0.0, 0.0]])
    assert loss.forward(np.array([[0.0, 0.0, 50.0]]), np.array([2])) > least, "certainty is punished"


def test_smoothing_leaves_the_probabilities_alone() -> None:
    logits, labels = np.random.default_rng(0).standard_normal((5, 10)), np.arange(5)
    plain, smoothed = SoftmaxCrossEntropy(), SoftmaxCrossEntropy(label_smoothing=0.5)
    plain.forward(logits, labels)
    smoothed.forward(logits, labels)
    np.testing.assert_array_equal(plain.probabilities, smoothed.probabilities)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy, OpenSetCrossEntropy])
@pytest.mark.parametrize("smoothing", [-0.1, 1, 1.5, float("nan"), True])
def test_an_impossible_smoothing_is_refused(smoothing: float, loss: type[SoftmaxCrossEntropy]) -> None:
    with pytest.raises(ConfigError, match=r"label_smoothing = .*, expected at least 0 and below 1"):
        loss(label_smoothing=smoothing)


def test_open_set_cross_entropy_of_two_examples_worked_by_hand() -> None:
    # Example 0: logits (0, ln 2), so exp is (1, 2), 1 + the sum 4, and p = (1/4, 1/2), p_none = 1/4. Label 1: log 2.
    # Example 1: logits (ln 3, 0), so exp is (3, 1), 1 + the sum 5, and p = (3/5, 1/5), p_none = 1/5. Label 2: log 5.
    # dz = (p − onehot) / 2, and no one-hot 1 for "none":
    #   example 0: ((1/4 − 0) / 2, (1/2 − 1) / 2) = ( 1/8, −1/4)
    #   example 1: ((3/5 − 0) / 2, (1/5 − 0) / 2) = (3/10, 1/10)
    logits, labels = np.array([[0, log(2)], [log(3), 0]]), np.array([1, 2])
    loss = OpenSetCrossEntropy()
    assert loss.forward(logits, labels) == by_hand((log(2) + log(5)) / 2)
    assert loss.backward() == by_hand([[1 / 8, -1 / 4], [3 / 10, 1 / 10]])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_open_set_cross_entropy_is_that_of_eleven_logits_of_which_one_is_0(
    dtype: type[np.floating], smoothing: float
) -> None:
    rng = np.random.default_rng(0)
    logits, labels = (5 * rng.standard_normal((40, 10))).astype(dtype), np.arange(40) % 11
    eleven, open_set = (kind(label_smoothing=smoothing) for kind in (SoftmaxCrossEntropy, OpenSetCrossEntropy))
    shift = rng.standard_normal((40, 1)).astype(dtype)  # changes no softmax
    expected = eleven.forward(np.hstack([logits, np.zeros((40, 1), dtype)]) + shift, labels)
    assert_same_function(open_set.forward(logits, labels), expected, terms=40 * 11, dtype=dtype, scale=20.0)
    gradient = open_set.backward()
    assert gradient.dtype == dtype
    assert_same_function(gradient, eleven.backward()[:, :10], terms=11 * 20)


def test_a_digit_without_others_to_be_told_from_has_the_loss_of_a_softmax_plus_that_of_being_none() -> None:
    logits, labels = np.random.default_rng(0).standard_normal((1, 10)), np.array([3])
    none = 1 / (1 + np.exp(logits).sum())
    expected = SoftmaxCrossEntropy().forward(logits, labels) - log(1 - none)  # p_k = (1 − p_none) softmax(z)_k
    assert OpenSetCrossEntropy().forward(logits, labels) == by_hand(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_open_set_cross_entropy_of_large_logits_is_finite(dtype: type[np.floating]) -> None:
    loss = OpenSetCrossEntropy()
    # All logits far below the 0 of "none": a digit is a certain mistake, none is certainly right. Then the reverse.
    assert loss.forward(np.full((1, 2), -1e4, dtype), np.array([0])) == 1e4
    assert loss.backward().tolist() == [[-1, 0]]
    assert loss.forward(np.full((1, 2), -1e4, dtype), np.array([2])) == 0
    assert loss.backward().tolist() == [[0, 0]]
    assert loss.forward(np.array([[1e4, -1e4]], dtype), np.array([2])) == 1e4
    assert loss.backward().tolist() == [[1, 0]]


def test_none_is_predicted_where_no_logit_is_above_0_and_by_one_loss_alone() -> None:
    logits = np.array([[1.0, 2.0, -3.0], [-1.0, -2.0, -3.0], [0.0, -1.0, 0.0]])
    assert OpenSetCrossEntropy().predicted(logits).tolist() == [1, 3, 3]
    assert SoftmaxCrossEntropy().predicted(logits).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("loss", "label"), [(SoftmaxCrossEntropy(), 10), (MeanSquaredError(), 10), (OpenSetCrossEntropy(), 11)]
)
def test_a_label_that_a_loss_does_not_know_is_refused_and_the_loss_that_does_is_named(loss: Loss, label: int) -> None:
    with pytest.raises(ConfigError, match=f"label {label} for .* expected 0 to {label - 1}; .* open_set_cross_entropy"):
        loss.forward(np.zeros((3, 10)), np.array([0, label, 9]))


def test_mean_squared_error_worked_by_hand() -> None:
    # Differences (1, −2) and (0, 3): squares 1, 4, 0, 9, their mean 14/4. The gradient is 2/4 of the differences.
    outputs, targets = np.array([[2.0, 1.0], [0.0, 5.0]]), np.array([[1.0, 3.0], [0.0, 2.0]])
    loss = MeanSquaredError()
    assert loss.forward(outputs, targets) == 3.5
    assert loss.backward().tolist() == [[0.5, -1.0], [0.0, 1.5]]


def test_class_indices_stand_for_one_hot_rows() -> None:
    outputs, labels = np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 3, 3, 1, 2, 0])
    by_class, by_row = MeanSquaredError(), MeanSquaredError()
    assert by_class.forward(outputs, labels) == by_row.forward(outputs, np.eye(4)[labels])
    np.testing.assert_array_equal(by_class.backward(), by_row.backward())


def test_squared_error_compares_outputs_of_any_shape() -> None:
    loss = MeanSquaredError()
    assert loss.forward(np.full((2, 3, 4, 5), 3.0), np.ones((2, 3, 4, 5), np.int64)) == 4
    assert loss.backward().shape == (2, 3, 4, 5)


@pytest.mark.parametrize(
    "targets", [np.zeros((2, 2)), np.zeros(3), np.zeros(2, np.intp), np.zeros((3, 1)), np.zeros((3, 4, 1))]
)
def test_targets_that_do_not_fit_are_refused(targets: NDArray[np.generic]) -> None:
    with pytest.raises(ConfigError, match=r"targets .* for outputs \(3, 4\), expected"):
        MeanSquaredError().forward(np.zeros((3, 4)), targets)


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("softmax_cross_entropy", SoftmaxCrossEntropy),
        ("open_set_cross_entropy", OpenSetCrossEntropy),
        ("mean_squared_error", MeanSquaredError),
    ],
)
def test_a_recipe_can_name_every_loss(kind: str, loss: type[Loss]) -> None:
    assert isinstance(construct(LOSSES, {"kind": kind}), loss)
    assert len(LOSSES) == 3


def test_a_recipe_can_set_a_losss_options() -> None:
    loss = construct(LOSSES, {"kind": "softmax_cross_entropy", "label_smoothing": 0.1})
    assert isinstance(loss, SoftmaxCrossEntropy)
    assert loss.label_smoothing == 0.1


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.intp])
def test_labels_may_be_of_any_integer_type(dtype: type[np.integer], kind: str) -> None:
    loss = LOSSES[kind]()
    logits = np.random.default_rng(0).standard_normal((20, 10))
    labels = np.arange(20) % 10
    expected = loss.forward(logits, labels), loss.backward().copy()
    assert loss.forward(logits, labels.astype(dtype)) == expected[0]
    np.testing.assert_array_equal(loss.backward(), expected[1])


@pytest.mark.parametrize("kind", LOSSES)
def test_batches_of_changing_length_and_type_do_not_disturb_each_other(kind: str) -> None:
    rng, shared = np.random.default_rng(0), LOSSES[kind]()
    for count, dtype in [(32, np.float32), (7, np.float32), (7, np.float64), (32, np.float64), (1, np.float32)]:
        logits, labels = rng.standard_normal((count, 10)).astype(dtype), rng.integers(0, 10, count)
        fresh = LOSSES[kind]()
        assert shared.forward(logits, labels) == fresh.forward(logits, labels)
        gradient = shared.backward()
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, fresh.backward())


@pytest.mark.parametrize("kind", LOSSES)
def test_the_outputs_are_left_alone(kind: str) -> None:
    logits = np.random.default_rng(0).standard_normal((5, 10))
    kept = logits.copy()
    loss = LOSSES[kind]()
    loss.forward(logits, np.arange(5))
    loss.backward()
    np.testing.assert_array_equal(logits, kept)
