"""The loss: how wrong the outputs z of a batch are, and its gradient, where backpropagation begins.

The network finds the true class t_n of image n probable (small loss) or not (large loss). With p = softmax(z),

    L = −(1/N) Σ_n log p[n, t_n]        log p_k = z_k − c − log Σ_j exp(z_j − c),  c the largest z of the row

The second form is the one to compute: p itself may be so small that it is rounded to 0, whose logarithm is −∞.
For one image, −log p_t = log Σ_j exp(z_j) − z_t. Its derivative with respect to z_k is exp(z_k) / Σ_j exp(z_j), that is
p_k, from the first term, and −1 from the second if k = t. So, with y[n, k] = 1 where k = t_n, else 0,

    dz = (p − y) / N                    predicted minus true; 1/N, as L is the mean over the batch

In core: `softmax_cross_entropy` in core/plain.py, `SoftmaxCrossEntropy` in core/nn/losses.py.
"""

import numpy as np


def cross_entropy(z: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """z (N, K), labels (N,) whole numbers from 0 to K − 1 → the loss, one number, and dz (N, K)."""
    rows = np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))  # (N, K)
    dz = np.exp(log_p)
    dz[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), dz / len(z)
