from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.measure.evaluate import (
    Accuracy,
    Bin,
    Mistake,
    evaluate,
    expected_calibration_error,
    reliability,
    wilson_interval,
)
from tests.floats import by_hand, close

# Five images, three classes. Read as 0, 1, 1, 2, 0; the truth is 0, 1, 2, 2, 1: images 2 and 4 are mistakes.
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.25, 0.5, 0.25],
        [0.1, 0.6, 0.3],
        [0.0, 0.0, 1.0],
        [0.9, 0.05, 0.05],
    ]
)
LABELS = np.array([0, 1, 2, 2, 1])


def test_measures_of_five_images_worked_by_hand() -> None:
    found = evaluate(PROBABILITIES, LABELS)
    assert found.count == 5
    assert found.accuracy == by_hand(3 / 5)
    assert found.interval == wilson_interval(3, 5)
    # Probabilities of the true classes: 0.8, 0.5, 0.3, 1, 0.05.
    assert found.loss == by_hand(-(log(0.8) + log(0.5) + log(0.3) + log(1) + log(0.05)) / 5)
    # The one 0 is right; of the 1s, one of two; of the 2s, one of two.
    assert found.per_class == (1.0, 0.5, 0.5)
    assert found.per_class_intervals == (wilson_interval(1, 1), wilson_interval(1, 2), wilson_interval(1, 2))
    assert found.confusion == (
        (1, 0, 0),  # true 0: read as 0
        (1, 1, 0),  # true 1: one read as 0, one as 1
        (0, 1, 1),  # true 2: one read as 1, one as 2
    )
    assert found.mistakes == (  # the most confident first
        Mistake(index=4, label=1, predicted=0, confidence=0.9),
        Mistake(index=2, label=2, predicted=1, confidence=0.6),
    )
    assert found.calibration_error == expected_calibration_error(PROBABILITIES, LABELS)


def test_an_evaluation_without_mistakes_has_accuracy_one() -> None:
    found = evaluate(np.eye(10, dtype=np.float32), np.arange(10))
    assert found.accuracy == 1
    assert found.per_class == (1.0,) * 10
    assert found.loss == found.calibration_error == 0
    assert found.mistakes == ()
    assert found.confusion == tuple(tuple(int(i == j) for j in range(10)) for i in range(10))


def test_a_class_without_images_has_accuracy_0_and_the_interval_0_to_1() -> None:
    found = evaluate(PROBABILITIES[:1], LABELS[:1])
    assert found.per_class == (1.0, 0.0, 0.0)
    assert found.per_class_intervals[1:] == ((0.0, 1.0), (0.0, 1.0))


def test_accuracy_is_the_share_of_correct_predictions() -> None:
    assert Accuracy.of(np.array([True, False, True, True])) == Accuracy(4, 0.75, wilson_interval(3, 4))


def test_calibration_is_measured_before_and_after_the_temperature() -> None:
    raw = np.where(PROBABILITIES > 0.4, 0.998, 0.001)
    found = evaluate(PROBABILITIES, LABELS, raw=raw)
    assert found.calibration_error == expected_calibration_error(PROBABILITIES, LABELS)
    assert found.raw_calibration_error == expected_calibration_error(raw, LABELS) != found.calibration_error
    assert found.raw_reliability == reliability(raw, LABELS)
    without = evaluate(PROBABILITIES, LABELS)
    assert without.raw_calibration_error == without.calibration_error
    assert without.raw_reliability == without.reliability == reliability(PROBABILITIES, LABELS)


def test_a_probability_that_has_underflowed_leaves_the_loss_finite() -> None:
    found = evaluate(np.array([[0, 1]], np.float32), np.array([0]))
    assert 80 < found.loss < 90


@pytest.mark.parametrize("classes", [10, 30, 200, 300])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_the_confusion_is_right_for_labels_of_any_integer_type(classes: int, dtype: type[np.integer]) -> None:
    count = min(classes, np.iinfo(dtype).max)
    labels = np.arange(count).astype(dtype)
    found = evaluate(np.eye(classes, dtype=np.float32)[:count], labels)
    assert np.diag(np.array(found.confusion))[:count].tolist() == [1] * count
    assert sum(map(sum, found.confusion)) == count


def test_mistakes_are_listed_from_the_most_confident_down_to_a_limit() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), 500)
    labels = rng.integers(0, 10, 500)
    found = evaluate(probabilities, labels, keep_mistakes=20).mistakes
    every = evaluate(probabilities, labels, keep_mistakes=500).mistakes
    assert len(found) == 20
    assert found == every[:20]
    assert len(every) == round(500 * (1 - evaluate(probabilities, labels).accuracy))
    confidences = [mistake.confidence for mistake in every]
    assert confidences == sorted(confidences, reverse=True)
    for mistake in every:
        assert mistake.label == labels[mistake.index] != mistake.predicted
        assert mistake.confidence == probabilities[mistake.index].max()


def test_equally_confident_mistakes_keep_the_order_of_the_set() -> None:
    found = evaluate(np.array([[0.5, 0.25, 0.25]] * 4), np.array([1, 2, 0, 1]))
    assert [mistake.index for mistake in found.mistakes] == [0, 1, 3]


@settings(deadline=None, max_examples=50)
@given(count=st.integers(1, 60), classes=st.integers(2, 12), seed=st.integers(0, 2**32 - 1))
def test_the_measures_agree_with_each_other(count: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), count).astype(np.float32)
    labels = rng.integers(0, classes, count, dtype=np.uint8)
    found = evaluate(probabilities, labels)
    confusion = np.array(found.confusion)
    assert confusion.sum() == count
    assert confusion.sum(axis=1).tolist() == np.bincount(labels, minlength=classes).tolist()
    assert np.trace(confusion) / count == by_hand(found.accuracy)
    assert found.interval[0] <= found.accuracy <= found.interval[1]
    assert len(found.mistakes) == count - np.trace(confusion)
    assert 0 <= found.calibration_error <= 1


# the interval

# Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
NEWCOMBE = [
    ((81, 263), (0.2553, 0.3662)),
    ((15, 148), (0.0624, 0.1605)),
    ((0, 20), (0.0, 0.1611)),
    ((1, 29), (0.0061, 0.1718)),
]


@pytest.mark.parametrize(("proportion", "interval"), NEWCOMBE)
def test_the_wilson_interval_is_the_published_one(proportion: tuple[int, int], interval: tuple[float, float]) -> None:
    assert wilson_interval(*proportion) == close(interval, abs=5e-5, why="published to four decimals")


@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_the_wilson_interval_of_none_begins_at_0_and_that_of_all_ends_at_1(count: int) -> None:
    z2 = 1.959963984540054**2
    assert wilson_interval(0, count) == (0, by_hand(z2 / (count + z2)))
    assert wilson_interval(count, count) == (by_hand(count / (count + z2)), 1)


@given(count=st.integers(1, 10_000), share=st.floats(0, 1))
def test_the_wilson_interval_lies_between_0_and_1_around_the_proportion(count: int, share: float) -> None:
    successes = round(share * count)
    low, high = wilson_interval(successes, count)
    assert 0 <= low <= successes / count <= high <= 1
    mirrored = wilson_interval(count - successes, count)
    assert mirrored == by_hand((1 - high, 1 - low))


def test_without_a_trial_the_interval_is_0_to_1() -> None:
    assert wilson_interval(0, 0) == (0, 1)


# calibration


def test_reliability_worked_by_hand() -> None:
    # Two bins: below one half lies one reading, at 0.4 and wrong; above, readings at 0.6 and 1, of which one is right.
    probabilities = np.array([[0.4, 0.3, 0.3], [0.6, 0.2, 0.2], [0.0, 0.0, 1.0]])
    assert reliability(probabilities, np.array([1, 0, 0]), bins=2) == (
        Bin(count=1, confidence=0.4, accuracy=0.0, interval=wilson_interval(0, 1)),
        Bin(count=2, confidence=0.8, accuracy=0.5, interval=wilson_interval(1, 2)),
    )


def test_bins_without_a_prediction_are_left_out() -> None:
    assert [b.count for b in reliability(np.eye(4), np.arange(4))] == [4]


def test_the_calibration_error_worked_by_hand() -> None:
    # Two readings at 0.6, one right: 1 − 1.2 = −0.2.  Two at 0.9, both right: 2 − 1.8 = 0.2.  (0.2 + 0.2) / 4 = 0.1.
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.1, 0.9]])
    assert expected_calibration_error(probabilities, np.array([0, 1, 0, 1])) == by_hand(0.1)


def test_within_one_bin_overconfidence_and_underconfidence_cancel() -> None:
    # Both fall into the one bin: (1 − 0.6) + (0 − 0.9) = −0.5, over 2 images.
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1]])
    assert expected_calibration_error(probabilities, np.array([0, 1]), bins=1) == by_hand(0.25)


def test_predictions_as_accurate_as_confident_have_no_calibration_error() -> None:
    probabilities = np.array([[0.8, 0.2]] * 10)
    assert expected_calibration_error(probabilities, np.array([0] * 8 + [1] * 2)) == by_hand(0)


def test_certainty_falls_into_the_last_bin() -> None:
    # 1 and 0.95 share the last of 15 bins: (0 − 1) + (1 − 0.95) = −0.95, over 2 images.
    probabilities = np.array([[1.0, 0.0], [0.95, 0.05]])
    assert expected_calibration_error(probabilities, np.array([1, 0])) == by_hand(0.475)
