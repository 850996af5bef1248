"""The dense layer, backward: from dy, the gradient of the output, to dx, dW and db.

L is the loss, one number, and dy[n, j] = ∂L/∂y[n, j] is given. The layer was y[n, j] = Σ_i x[n, i] W[i, j] + b[j], so

    ∂y[n, j] / ∂W[i, j] = x[n, i]        ∂y[n, j] / ∂x[n, i] = W[i, j]        ∂y[n, j] / ∂b[j] = 1

By the chain rule, a variable's gradient is the sum, over all the outputs it acts on, of dy times that slope. One weight
acts on output j of every input of the batch, one x[n, i] on every output of its own row:

    dW[i, j] = Σ_n x[n, i] dy[n, j]      dx[n, i] = Σ_j dy[n, j] W[i, j]      db[j] = Σ_n dy[n, j]

Write each sum as one line of NumPy. A gradient always has the shape of what it is the gradient of.

In core: `dense_backward` in core/plain.py, `Dense.backward` in core/nn/dense.py.
"""

import numpy as np


def dense_backward(x: np.ndarray, dy: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, I), dy (N, J), W (I, J) → dx (N, I), dW (I, J), db (J,)."""
    dW = x.T @ dy  # dW[i, j] = Σ_n x[n, i] dy[n, j]
    db = dy.sum(axis=0)
    dx = dy @ W.T  # dx[n, i] = Σ_j dy[n, j] W[i, j]
    return dx, dW, db
