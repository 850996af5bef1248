"""A gradient check: is a backward pass the derivative of its forward pass? It finds nearly every mistake in one.

A derivative is the limit of a difference, and a small h comes close to the limit. From Taylor's series,

    f(x + h) = f(x) + h f′(x) + ½ h² f″(x) + …        f(x − h) = f(x) − h f′(x) + ½ h² f″(x) − …

    (f(x + h) − f(x − h)) / 2h = f′(x) + O(h²)        central: the terms with f″ cancel
    (f(x + h) − f(x)) / h      = f′(x) + O(h)         forward: they do not, so this is less accurate

x is an array, so this is done for one of its numbers at a time, while all others keep their values. How far a gradient
a is from a numerical one n is measured by a relative error, as gradients may be of any size:

    error = ‖a − n‖ / (‖a‖ + ‖n‖), and 0 where both are zero        ‖a‖ = √Σ a²

Below 1e-6 in float64 it is right; near 1 it is something else.

In core: the tests of every layer, tests/core/nn/test_gradients.py.
"""

from collections.abc import Callable

import numpy as np


def numerical_gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
    """f from an array to a number, x of any shape in float64 → ∂f/∂x in the shape of x. x is afterwards what it was."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        gradient[index] = (f(up) - f(down)) / (2 * h)
    return gradient


def relative_error(a: np.ndarray, n: np.ndarray) -> float:
    """Two arrays of one shape → a number from 0 to 1."""
    size = np.linalg.norm(a) + np.linalg.norm(n)
    return float(np.linalg.norm(a - n) / size) if size else 0.0
