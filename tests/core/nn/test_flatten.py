import numpy as np
import pytest

from core.nn.flatten import Flatten


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (1, 1, 1)])
def test_pictures_become_rows_and_their_gradients_pictures(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal((3, *shape))
    layer = Flatten(shape, dtype=np.float64)
    y = layer.forward(x, training=True)
    assert y.shape == (3, *layer.output_shape) == (3, x[0].size)
    assert [row.tolist() for row in y] == [picture.ravel().tolist() for picture in x]
    dx = layer.backward(y)
    np.testing.assert_array_equal(dx, x)
    assert layer.backward(y, need_dx=False) is None


def test_nothing_is_copied() -> None:
    x = np.zeros((3, 4, 5, 2), np.float32)
    assert np.shares_memory(Flatten((4, 5, 2)).forward(x), x)


def test_an_empty_batch_stays_empty() -> None:
    assert Flatten((4, 5, 2)).forward(np.zeros((0, 4, 5, 2), np.float32)).shape == (0, 40)
