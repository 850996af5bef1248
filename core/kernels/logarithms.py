"""Probabilities as logarithms, so that the smallest of them are not lost.

In float32, exp is 0 below −103, and its logarithm is then −∞. So every exponential here is taken relative to the
largest number of its sum.
"""

from math import log

import numpy as np

from core.kernels.arrays import Array, Scratch


def log_softmax(z: Array, scratch: Scratch) -> Array:
    """ℓ = z − log Σ_j exp(z_j) along the last axis.

    Args:
        z: (…, K), overwritten by ℓ.
        scratch: The memory to work in.
    """
    p = scratch("p", z.shape)
    z -= z.max(axis=-1, keepdims=True)  # changes nothing else: it cancels
    np.exp(z, out=p)
    z -= np.log(p.sum(axis=-1, keepdims=True))
    return z


def log_mean_exp(z: Array, scratch: Scratch) -> Array:
    """y = log (1/M Σ_m exp(z_m)) along the second axis.

    Args:
        z: (N, M, …).
        scratch: The memory to work in, and that of the result.

    Returns:
        y, (N, …).
    """
    shape = len(z), *z.shape[2:]
    p = scratch("p", z.shape)
    top: Array = np.max(z, axis=1, out=scratch("top", shape))
    np.subtract(z, top[:, np.newaxis], out=p)
    np.exp(p, out=p)
    y: Array = np.sum(p, axis=1, out=scratch("y", shape))
    np.log(y, out=y)
    y += top
    y -= log(z.shape[1])
    return y
