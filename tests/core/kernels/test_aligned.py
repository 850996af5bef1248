"""Arrays that begin at the start of a cache line, and are otherwise like NumPy's."""

import numpy as np
import pytest

from core.kernels import aligned
from core.nn.dense import Dense
from core.nn.sequential import Sequential


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool])
@pytest.mark.parametrize("shape", [0, 1, 784, (3, 5), (2, 0, 4), (7, 28, 28, 1)])
def test_an_aligned_array_has_its_shape_and_dtype_and_owns_its_memory(
    shape: int | tuple[int, ...], dtype: type
) -> None:
    for array in (aligned.empty(shape, dtype), aligned.zeros(shape, dtype)):
        assert array.shape == np.empty(shape).shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        if array.size:  # an empty array has no address
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
