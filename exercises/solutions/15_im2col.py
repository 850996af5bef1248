"""Convolution as one product of matrices: P holds every patch as a row, so that a convolution is a dense layer on P.

Without padding, and with stride 1:

    P[(n, i, j), (u, v, c)] = x[n, i + u, j + v, c]        (N·OH·OW, k·k·C), axes in this order
    y = P W + b                                            with W as a matrix, (k·k·C, O)

The gradients are those of a dense layer: dW = Pᵀ dy, db = Σ dy, dP = dy Wᵀ. A pixel stands in up to k·k patches, so its
gradient is the sum over all of them; as i + u is the pixel's row,

    dx[n, i + u, j + v, c] += dP[(n, i, j), (u, v, c)]     for all i, j, u, v: "col2im"

Loop over u and v alone: for fixed u and v, the x[n, i + u, j + v, c] of all i and j are one slice.

In core: core/kernels/convolution.py and core/kernels/bands.py; as loops, `conv2d_backward` in core/plain.py.
"""

import numpy as np


def im2col(x: np.ndarray, k: int) -> np.ndarray:
    """x (N, H, W, C), the kernel's size k → P (N·OH·OW, k·k·C)."""
    N, H, W, C = x.shape
    OH, OW = H - k + 1, W - k + 1
    P = np.empty((N, OH, OW, k, k, C), x.dtype)
    for u in range(k):
        for v in range(k):
            P[:, :, :, u, v] = x[:, u : u + OH, v : v + OW]
    return P.reshape(N * OH * OW, k * k * C)


def conv2d(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x (N, H, W, C), W (k, k, C, O), b (O,) → y (N, OH, OW, O), with im2col."""
    k, _, _, O = W.shape
    y = im2col(x, k) @ W.reshape(-1, O) + b
    return y.reshape(len(x), x.shape[1] - k + 1, x.shape[2] - k + 1, O)


def conv2d_backward(x: np.ndarray, dy: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, H, W, C), dy (N, OH, OW, O), W (k, k, C, O) → dx, dW and db, in the shapes of x, W and b."""
    k, _, C, O = W.shape
    N, OH, OW, _ = dy.shape
    rows = dy.reshape(-1, O)  # (N·OH·OW, O)
    dW = im2col(x, k).T @ rows
    dP = (rows @ W.reshape(-1, O).T).reshape(N, OH, OW, k, k, C)
    dx = np.zeros_like(x)
    for u in range(k):
        for v in range(k):
            dx[:, u : u + OH, v : v + OW] += dP[:, :, :, u, v]
    return dx, dW.reshape(W.shape), rows.sum(axis=0)
