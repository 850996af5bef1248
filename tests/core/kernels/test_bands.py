import numpy as np

from core.kernels.bands import Bands
from core.kernels.window import Window


def test_a_band_matrix_holds_the_kernel_once_for_each_output_of_a_tile() -> None:
    bands = Bands(Window.valid(1, 1, 1), Window.valid(6, 3, 1), inputs=1, outputs=1, tile=4)
    W, b = np.reshape([1.0, 2.0, 3.0], (1, 3, 1, 1)), np.array([9.0])
    assert bands.weave(W, b, np.empty(bands.shape)).tolist() == [
        [1, 0, 0, 0],
        [2, 1, 0, 0],
        [3, 2, 1, 0],
        [0, 3, 2, 1],
        [0, 0, 3, 2],
        [0, 0, 0, 3],
        [9, 9, 9, 9],
    ]
