import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.measure.calibration import fit_temperature
from core.measure.evaluate import expected_calibration_error
from core.nn.losses import SoftmaxCrossEntropy, softmax
from tests.floats import close

SEARCH = "a search that ends at this precision"


def drawn(count: int, *, spread: float = 3.0, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Logits (count, 10), and labels drawn with the very probabilities that the logits mean at temperature 1."""
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=spread, size=(count, 10))
    gumbel = rng.gumbel(size=z.shape)  # argmax(z + gumbel) is a draw from softmax(z) (Gumbel 1954)
    return z, (z + gumbel).argmax(axis=1)


def likelihood(logits: NDArray[np.floating], labels: NDArray[np.integer], temperature: float) -> float:
    return SoftmaxCrossEntropy().forward(logits.astype(np.float64) / temperature, labels)


def test_the_temperature_of_two_logits_worked_by_hand() -> None:
    # Three of four are right at logits (2, 0). p must be 3/4: sigmoid(2 / T) = 3/4, so 2 / T = log 3.
    logits = np.array([[2.0, 0.0]] * 4)
    assert fit_temperature(logits, np.array([0, 0, 0, 1])) == close(2 / np.log(3), rel=1e-12, why=SEARCH)


@pytest.mark.parametrize("temperature", [0.25, 0.5, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_known_temperature_is_recovered(temperature: float, dtype: type[np.floating]) -> None:
    z, labels = drawn(20_000)
    assert fit_temperature((z * temperature).astype(dtype), labels) == close(
        temperature, rel=0.03, why="a sample of 20,000"
    )


def test_the_temperature_calibrates_images_that_it_was_not_fitted_on() -> None:
    z, labels = drawn(20_000)
    temperature = fit_temperature(3 * z[:10_000], labels[:10_000])
    before = expected_calibration_error(softmax(3 * z[10_000:]), labels[10_000:])
    after = expected_calibration_error(softmax(3 * z[10_000:] / temperature), labels[10_000:])
    assert before > 0.05
    assert after < 0.02


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(1, 60),
    classes=st.integers(2, 12),
    scale=st.sampled_from([0.0, 1e-6, 0.1, 1.0, 10.0, 1e3, 1e30]),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_temperature_is_bounded_and_never_makes_the_labels_less_likely(
    count: int, classes: int, scale: float, seed: int, dtype: type[np.floating]
) -> None:
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(count, classes)) * scale).astype(dtype)
    labels = rng.integers(0, classes, count, dtype=np.uint8)
    found = fit_temperature(logits, labels)
    assert 0.05 <= found <= 20
    before = likelihood(logits, labels, 1.0)
    assert likelihood(logits, labels, found) <= before + 1e-9 * abs(before)


def test_no_temperature_near_the_fitted_one_is_better() -> None:
    z, labels = drawn(500, seed=3)
    found = fit_temperature(z, labels)
    assert all(likelihood(z, labels, found) <= likelihood(z, labels, found * by) for by in (0.99, 0.999, 1.001, 1.01))


def test_without_a_mistake_the_temperature_stays_1() -> None:
    logits = np.eye(10, dtype=np.float32)
    assert fit_temperature(logits, np.arange(10)) == 1
    assert fit_temperature(logits * 100, np.arange(10)) == 1


def test_one_mistake_among_many_is_enough_to_learn_from() -> None:
    logits = np.array([[5.0, 0.0]] * 100)
    labels = np.zeros(100, np.intp)
    labels[0] = 1
    assert fit_temperature(logits, labels) == close(5 / np.log(99), rel=1e-12, why=SEARCH)


def test_a_network_that_is_always_wrong_gets_the_highest_temperature() -> None:
    assert fit_temperature(np.array([[9.0, 0.0]] * 5), np.ones(5, np.intp)) == close(20, rel=1e-12, why=SEARCH)


def test_a_very_close_mistake_gives_the_lowest_temperature() -> None:
    logits = np.array([[1.0, 0.0]] * 9 + [[0.0, 1e-9]])
    assert fit_temperature(logits, np.zeros(10, np.intp)) == close(0.05, rel=1e-12, why=SEARCH)


def test_with_logits_that_are_all_equal_the_temperature_stays_1() -> None:
    assert fit_temperature(np.zeros((6, 10), np.float32), np.arange(6)) == 1


def test_a_tie_for_the_largest_logit_is_no_mistake() -> None:
    assert fit_temperature(np.array([[3.0, 3.0, 0.0]] * 2), np.array([0, 1])) == 1


def test_the_logits_are_not_changed() -> None:
    logits, labels = drawn(50)
    kept = logits.copy()
    fit_temperature(logits, labels)
    np.testing.assert_array_equal(logits, kept)
