import numpy as np
import pytest

from core.kernels.arrays import Scratch


def test_scratch_gives_the_same_memory_for_the_same_name_again() -> None:
    scratch = Scratch(np.float32)
    assert np.shares_memory(scratch("y", (8, 3)), scratch("y", (8, 3)))
    assert np.shares_memory(scratch("y", (5, 3)), scratch("y", (8, 3)))
    assert not np.shares_memory(scratch("y", (8, 3)), scratch("dx", (8, 3)))


@pytest.mark.parametrize("shape", [(9, 3), (8, 4), (2, 4), (8, 3, 1)])
def test_scratch_grows_or_changes_shape_when_asked(shape: tuple[int, ...]) -> None:
    scratch = Scratch(np.float32)
    scratch("y", (8, 3))
    assert scratch("y", shape).shape == shape


def test_a_shorter_batch_gets_a_contiguous_view() -> None:
    scratch = Scratch(np.float64)
    scratch("y", (8, 3))
    view = scratch("y", (5, 3))
    assert view.shape == (5, 3)
    assert view.flags.c_contiguous
    assert view.dtype == np.float64


def test_scratch_holds_other_types_too() -> None:
    assert Scratch(np.float32)("active", (4,), bool).dtype == bool
