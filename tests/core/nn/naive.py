"""Convolution and pooling by their formulas, one number at a time, sharing no line with `core`.

Pictures are (N, H, W, C), float64. Padding is part of `x`: see `frame`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float64]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """The least padding with which every stride-th pixel has an output; the odd one goes to the end."""
    total = 0
    while (size + total - kernel) // stride + 1 < (size + stride - 1) // stride or size + total < kernel:
        total += 1
    return total // 2, total - total // 2


def frame(x: Pictures, kernel: tuple[int, int], stride: tuple[int, int], value: float = 0.0) -> Pictures:
    """`x` with the padding that "same" gives it."""
    rows, columns = (same_padding(x.shape[1 + axis], kernel[axis], stride[axis]) for axis in (0, 1))
    return np.pad(x, ((0, 0), rows, columns, (0, 0)), constant_values=value)


def unframe(dx: Pictures, like: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> Pictures:
    (top, _), (left, _) = (same_padding(like.shape[1 + axis], kernel[axis], stride[axis]) for axis in (0, 1))
    return dx[:, top : top + like.shape[1], left : left + like.shape[2]]


def outputs(x: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int]:
    return (x.shape[1] - kernel[0]) // stride[0] + 1, (x.shape[2] - kernel[1]) // stride[1] + 1


def places(kernel: tuple[int, int]) -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(kernel[0]) for j in range(kernel[1]))


def conv(x: Pictures, w: Pictures, b: NDArray[np.float64], stride: tuple[int, int]) -> Pictures:
    """w is (kh, kw, C, O)."""
    kernel = w.shape[0], w.shape[1]
    y = np.zeros((len(x), *outputs(x, kernel, stride), w.shape[3]))
    for n, h, v, o in np.ndindex(*y.shape):
        y[n, h, v, o] = b[o]
        for i, j in places(kernel):
            for c in range(w.shape[2]):
                y[n, h, v, o] += x[n, h * stride[0] + i, v * stride[1] + j, c] * w[i, j, c, o]
    return y


def conv_backward(
    x: Pictures, w: Pictures, dy: Pictures, stride: tuple[int, int]
) -> tuple[Pictures, NDArray[np.float64], Pictures]:
    """dW, db, dx."""
    dw, db, dx = np.zeros_like(w), np.zeros(w.shape[3]), np.zeros_like(x)
    for n, h, v, o in np.ndindex(*dy.shape):
        db[o] += dy[n, h, v, o]
        for i, j in places((w.shape[0], w.shape[1])):
            for c in range(w.shape[2]):
                at = n, h * stride[0] + i, v * stride[1] + j, c
                dw[i, j, c, o] += x[at] * dy[n, h, v, o]
                dx[at] += w[i, j, c, o] * dy[n, h, v, o]
    return dw, db, dx


def maxpool(x: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> Pictures:
    y = np.zeros((len(x), *outputs(x, kernel, stride), x.shape[3]))
    for n, h, w, c in np.ndindex(*y.shape):
        y[n, h, w, c] = max(x[n, h * stride[0] + i, w * stride[1] + j, c] for i, j in places(kernel))
    return y


def maxpool_backward(x: Pictures, dy: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> Pictures:
    """The first of the largest, row by row, takes the gradient."""
    dx = np.zeros_like(x)
    for n, h, w, c in np.ndindex(*dy.shape):
        seen = [(n, h * stride[0] + i, w * stride[1] + j, c) for i, j in places(kernel)]
        dx[max(seen, key=lambda at: x[at])] += dy[n, h, w, c]  # of equals, max takes the first
    return dx


def avgpool(x: Pictures, real: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> Pictures:
    """`real` is 1 where x is a pixel, 0 where it is padding."""
    y = np.zeros((len(x), *outputs(x, kernel, stride), x.shape[3]))
    for n, h, w, c in np.ndindex(*y.shape):
        seen = [(n, h * stride[0] + i, w * stride[1] + j, c) for i, j in places(kernel)]
        y[n, h, w, c] = sum(x[at] for at in seen) / sum(real[at] for at in seen)
    return y


def avgpool_backward(real: Pictures, dy: Pictures, kernel: tuple[int, int], stride: tuple[int, int]) -> Pictures:
    dx = np.zeros_like(real)
    for n, h, w, c in np.ndindex(*dy.shape):
        seen = [(n, h * stride[0] + i, w * stride[1] + j, c) for i, j in places(kernel)]
        for at in seen:
            dx[at] += dy[n, h, w, c] / sum(real[at] for at in seen)
    return dx


def conv_by_patches(
    x: Pictures, w: Pictures, b: NDArray[np.float64], dy: Pictures, stride: tuple[int, int]
) -> tuple[Pictures, Pictures, NDArray[np.float64], Pictures]:
    """The textbook's way (im2col): y, dW, db, dx. Fast enough for pictures of real size."""
    kh, kw, c, o = w.shape
    oh, ow = outputs(x, (kh, kw), stride)
    corners = [(h * stride[0], v * stride[1]) for h in range(oh) for v in range(ow)]
    patches = np.stack([x[:, h : h + kh, v : v + kw].reshape(len(x), -1) for h, v in corners], axis=1)  # (N, OH·OW, K)
    kernel, d_out = w.reshape(-1, o), dy.reshape(len(x), -1, o)  # (K, O), (N, OH·OW, O)
    y = (patches @ kernel + b).reshape(len(x), oh, ow, o)
    dw = np.einsum("npk,npo->ko", patches, d_out).reshape(w.shape)
    d_patches, dx = d_out @ kernel.T, np.zeros_like(x)
    for p, (h, v) in enumerate(corners):
        dx[:, h : h + kh, v : v + kw] += d_patches[:, p].reshape(len(x), kh, kw, c)
    return y, dw, d_out.sum(axis=(0, 1)), dx
