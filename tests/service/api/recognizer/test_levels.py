"""Numbers as levels from the smallest to the largest."""

import numpy as np
import pytest

from service.api.recognizer.levels import quantized


def test_the_smallest_number_is_0_and_the_largest_255():
    levels, low, high = quantized(np.array([[-1.0, 0.0], [0.5, 4.1]], np.float32))
    assert (levels.dtype, levels.tolist()) == (np.uint8, [[0, 50], [75, 255]])
    assert (low, high) == (-1.0, float(np.float32(4.1)))


@pytest.mark.parametrize("value", [0.0, -3.5])
def test_equal_numbers_are_level_0_of_nothing(value):
    levels, low, high = quantized(np.full((2, 3), value, np.float32))
    assert (levels.tolist(), low, high) == ([[0] * 3] * 2, value, value)


def test_what_is_not_finite_is_taken_for_the_nearest_that_is():
    levels, low, high = quantized(np.array([np.nan, np.inf, -np.inf, 1.0, 2.0], np.float32))
    assert (levels.tolist(), low, high) == ([0, 255, 0, 0, 255], 1.0, 2.0)
    levels, low, high = quantized(np.full(4, np.nan, np.float32))
    assert (levels.tolist(), low, high) == ([0] * 4, 0.0, 0.0)


def test_the_whole_range_of_numbers_has_levels_too():
    most = float(np.finfo(np.float32).max)
    levels, low, high = quantized(np.array([-most, 0.0, most], np.float32))
    assert (levels.tolist(), low, high) == ([0, 128, 255], -most, most)
