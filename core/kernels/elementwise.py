"""Functions of each number by itself, and their slopes, computed without temporary arrays.

NumPy makes a new array for every operation in `y * (1 - y)`, and for numbers as cheap as these, fresh memory takes
longer than the arithmetic. So each function here names an `out`, and every operation writes to it. All arrays of a call
have one shape, that of x; `out` is overwritten and returned.
"""

from math import pi, prod, sqrt

import numpy as np

from core.kernels.arrays import Array, Scratch

_SMALL = 1 << 14
"""Up to this many numbers, an array of zeros is read from the cache at next to no cost."""

_ROOT = sqrt(2 / pi)
_CUBIC = 0.044715


def relu(x: Array, scratch: Scratch) -> Array:
    """max(x, 0), in `scratch`."""
    y: Array = np.maximum(x, zeros_for(x, scratch), out=scratch("y", x.shape))
    return y


def zeros_for(x: Array, scratch: Scratch) -> Array:
    """Zeros to take the maximum of x with: in the shape of x if it is small, else (1, …), which NumPy broadcasts.

    NumPy takes the maximum of two arrays of one shape faster than that of an array and the number 0.
    """
    return scratch("zeros", x.shape if prod(x.shape) <= _SMALL else (1, *x.shape[1:]), fill=0)


def leaky_relu(x: Array, a: float, out: Array) -> Array:
    """max(x, a x)."""
    np.multiply(x, a, out=out)
    np.maximum(x, out, out=out)
    return out


def leaky_relu_slope(y: Array, a: float, out: Array) -> Array:
    """a + (1 − a) [y > 0]."""
    np.greater(y, 0, out=out)  # 1.0 or 0.0
    out *= 1 - a
    out += a
    return out


def sigmoid(x: Array, out: Array) -> Array:
    """1 / (1 + exp(−x)) = ½ (1 + tanh(x / 2)); `out` may be x itself.

    The second form has no number that is too large: exp(−x) overflows float32 near x = −88. Its error is a rounding
    error of numbers near 1, so in float32 a result below 10⁻⁷ is accurate to about 10⁻⁷ only, and may be 0.
    """
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1
    out *= 0.5
    return out


def sigmoid_slope(y: Array, out: Array) -> Array:
    """y (1 − y)."""
    np.subtract(1, y, out=out)
    out *= y
    return out


def tanh_slope(y: Array, out: Array) -> Array:
    """1 − y²."""
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)
    return out


def gelu_tanh(x: Array, out: Array) -> Array:
    """tanh(u) with u = √(2/π) (x + 0.044715 x³)."""
    np.multiply(x, x, out=out)
    out *= _ROOT * _CUBIC
    out += _ROOT
    out *= x  # u
    np.tanh(out, out=out)
    return out


def gelu(x: Array, t: Array, out: Array) -> Array:
    """½ x (1 + t)."""
    np.add(t, 1, out=out)
    out *= x
    out *= 0.5
    return out


def gelu_slope(x: Array, t: Array, spare: Array, out: Array) -> Array:
    """½ (1 + t + x (1 − t²) u′) with u′ = √(2/π) (1 + 3 · 0.044715 x²); `spare` is overwritten too."""
    xdu = np.multiply(x, x, out=spare)
    xdu *= 3 * _ROOT * _CUBIC
    xdu += _ROOT
    xdu *= x  # x u′
    tanh_slope(t, out)
    out *= xdu
    out += t
    out += 1
    out *= 0.5
    return out


def silu_slope(s: Array, y: Array, out: Array) -> Array:
    """σ + y (1 − σ), with s = σ(x) and y = x σ(x)."""
    np.subtract(1, s, out=out)
    out *= y
    out += s
    return out
