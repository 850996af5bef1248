"""Arrays that begin where a cache line does: as NumPy's in all else."""

import numpy as np
import pytest

from core.kernels import aligned
from core.nn.dense import Dense
from core.nn.sequential import Sequential


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
@pytest.mark.parametrize("shape", [0, 1, 784, (3, 5), (2, 0, 4), (7, 28, 28, 1)])
def test_it_is_an_array_of_that_shape_and_type_whose_memory_is_its_own(
    shape: int | tuple[int, ...], dtype: type
) -> None:
    for array in (aligned.empty(shape, dtype), aligned.zeros(shape, dtype)):
        assert array.shape == np.empty(shape).shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        if array.size:  # an array without a number begins nowhere
            assert array.ctypes.data % aligned.LINE == 0
    assert not aligned.zeros(shape, dtype).any()


def test_two_arrays_share_no_memory() -> None:
    one, other = aligned.zeros(100, np.float32), aligned.zeros(100, np.float32)
    one.fill(1)
    assert not other.any()


def test_a_networks_weights_gradients_and_outputs_are_aligned() -> None:
    network = Sequential([Dense((784,), units=128, rng=np.random.default_rng(0))])
    y = network.forward(np.zeros((3, 784), np.float32))
    assert [array.ctypes.data % aligned.LINE for array in (network.vector.value, network.vector.grad, y)] == [0, 0, 0]
