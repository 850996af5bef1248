"""Convolution as loops: a dense layer that looks at one small patch at a time, with the same weights everywhere.

X is x with a frame of `padding` zeros around each picture. The window moves `stride` pixels at a time:

    y[n, i, j, o] = b[o] + Σ_{u, v, c} X[n, i·s + u, j·s + v, c] W[u, v, c, o]

A picture of H rows has H + 2·padding after padding. The last window begins at the largest i·s ≤ H + 2·padding − k, so

    OH = (H + 2·padding − k) // stride + 1        rows of the output; likewise OW for columns

(The kernel is not mirrored: mathematicians call this a cross-correlation, networks a convolution.)

In core: `conv2d` in core/plain.py, `Conv2D` in core/nn/conv.py.
"""

import numpy as np


def conv2d(x: np.ndarray, W: np.ndarray, b: np.ndarray, padding: int = 0, stride: int = 1) -> np.ndarray:
    """x (N, H, W, C), W (k, k, C, O), b (O,) → y (N, OH, OW, O). Loop over i and j; within, NumPy may help."""
    X = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    k = len(W)
    OH, OW = (X.shape[1] - k) // stride + 1, (X.shape[2] - k) // stride + 1
    y = np.empty((len(x), OH, OW, W.shape[3]), x.dtype)
    for i in range(OH):
        for j in range(OW):
            patch = X[:, i * stride : i * stride + k, j * stride : j * stride + k]  # (N, k, k, C)
            y[:, i, j] = np.tensordot(patch, W, axes=3) + b  # (N, O): summed over u, v and c
    return y
