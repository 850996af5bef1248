import numpy as np
import pytest

from core.kernels.arrays import Scratch
from core.kernels.sums import affine, by_column, column_sums

SHAPES = pytest.mark.parametrize("shape", [(0, 3), (5, 3), (2, 1, 1, 3), (4, 6, 5, 3), (0, 6, 5, 3)])


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(-9, 10, shape).astype(float)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_column_sums_are_those_of_numpy_whatever_the_batches_before(rows: int) -> None:
    scratch, out = Scratch(float), np.empty(3)
    column_sums(numbers(5, 3), scratch)
    x = numbers(rows, 3)
    np.testing.assert_array_equal(column_sums(x, scratch), x.sum(axis=0))
    assert column_sums(x, scratch, out=out) is out
    np.testing.assert_array_equal(out, x.sum(axis=0))


@SHAPES
@pytest.mark.parametrize("operation", [np.add, np.subtract, np.multiply])
def test_an_operation_by_column_is_the_one_that_numpy_broadcasts(shape: tuple[int, ...], operation: np.ufunc) -> None:
    x, values = numbers(*shape), numbers(3)
    expected = operation(x, values)
    assert by_column(operation, x, values, Scratch(float), out=x) is x
    np.testing.assert_array_equal(x, expected)


@SHAPES
def test_affine_multiplies_and_adds_a_number_for_each_column(shape: tuple[int, ...]) -> None:
    x, factor, offset = numbers(*shape), numbers(3), numbers(2, 3)[1]
    kept = x.copy()
    np.testing.assert_array_equal(affine(x, factor, offset, Scratch(float)), x * factor + offset)
    np.testing.assert_array_equal(x, kept)
