"""12: batch norm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import NUMERICAL, Case, FunctionCheck, Slip
from exercises.numerical import gradient

__all__ = ["BACKWARD", "FORWARD"]

Array = NDArray[Any]

_rng = np.random.default_rng(12)
_x, _dy = _rng.normal(size=(32, 5)) * [1, 2, 3, 0.5, 1] + [0, 1, -2, 3, 5], _rng.normal(size=(32, 5))
_gamma, _beta = _rng.uniform(0.5, 2, 5), _rng.normal(size=5)
_small = _rng.normal(size=(4, 4))
_EPS = 0.01  # large enough that it is seen where it stands
_SIZES = {"N": 32, "D": 5}


def _parts(x: Array, eps: float, ddof: int = 0) -> tuple[Array, Array]:
    """c = x − μ and σ."""
    c = x - x.mean(axis=0)
    return c, np.sqrt((c**2).sum(axis=0) / (len(x) - ddof) + eps)


def _y(x: Array, gamma: Array | float, beta: Array | float, eps: float) -> Array:
    c, sigma = _parts(x, eps)
    y: Array = gamma * c / sigma + beta
    return y


FORWARD = FunctionCheck(
    "batch_norm",
    ("y",),
    [
        Case("a batch of 32", {"x": _x, "gamma": _gamma, "beta": _beta, "eps": _EPS}, _SIZES),
        Case(
            "as many rows as features", {"x": _small, "gamma": np.ones(4), "beta": np.zeros(4), "eps": _EPS}, {"N": 4}
        ),
        Case(
            "a feature that is constant", {"x": np.ones((3, 2)), "gamma": np.ones(2), "beta": np.zeros(2), "eps": _EPS}
        ),
        Case("", {"x": _x, "gamma": _gamma, "beta": _beta, "eps": _EPS}, _SIZES).in_single_precision(),
    ],
    _y,
    [
        Slip(
            "no γ and β",
            "y",
            lambda x, gamma, beta, eps: _y(x, 1.0, 0.0, eps),
            "Yours is x̂: γ and β are missing, y = γ x̂ + β.",
        ),
        Slip("no β", "y", lambda x, gamma, beta, eps: _y(x, gamma, 0.0, eps), "β is missing: y = γ x̂ + β."),
        Slip("no γ", "y", lambda x, gamma, beta, eps: _y(x, 1.0, beta, eps), "γ is missing: y = γ x̂ + β."),
        Slip(
            "unbiased variance",
            "y",
            lambda x, gamma, beta, eps: gamma * _parts(x, eps, 1)[0] / _parts(x, eps, 1)[1] + beta,
            "The variance is divided by N − 1 (ddof=1): within the batch it is divided by N.",
        ),
        Slip(
            "no ε",
            "y",
            lambda x, gamma, beta, eps: gamma * _parts(x, 0)[0] / _parts(x, 0)[1] + beta,
            "ε is missing: σ² is the variance plus ε.",
        ),
        Slip(
            "ε outside the root",
            "y",
            lambda x, gamma, beta, eps: gamma * _parts(x, 0)[0] / (_parts(x, 0)[1] + eps) + beta,
            "ε stands outside the root: σ = √(variance + ε).",
        ),
        Slip(
            "variance for σ",
            "y",
            lambda x, gamma, beta, eps: gamma * _parts(x, eps)[0] / _parts(x, eps)[1] ** 2 + beta,
            "c is divided by σ²: the root is missing.",
        ),
        Slip(
            "not centered",
            "y",
            lambda x, gamma, beta, eps: gamma * x / _parts(x, eps)[1] + beta,
            "The mean is not subtracted: x̂ is c / σ with c = x − μ, yours is x / σ.",
        ),
        Slip(
            "by row",
            "y",
            lambda x, gamma, beta, eps: gamma * _parts(x.T, eps)[0].T / _parts(x.T, eps)[1][:, np.newaxis] + beta,
            "Rows are normalized, each image by itself (that is layer norm, axis 1): batch norm takes mean and "
            "variance of each feature over the batch, axis 0.",
        ),
        Slip(
            "one mean",
            "y",
            lambda x, gamma, beta, eps: gamma * (x - x.mean()) / np.sqrt(x.var() + eps) + beta,
            "One mean and one variance were taken of the whole batch: each feature has its own, axis=0.",
        ),
    ],
)


def _dx(x: Array, dy: Array, gamma: Array, eps: float, *, mean: bool = True, variance: bool = True) -> Array:
    """dx with or without what comes through μ, and through σ."""
    c, sigma = _parts(x, eps)
    x_hat = c / sigma
    found = dy - mean * dy.mean(axis=0) - variance * x_hat * (dy * x_hat).mean(axis=0)
    dx: Array = gamma / sigma * found
    return dx


def _dx_sums(x: Array, dy: Array, gamma: Array, eps: float) -> Array:
    c, sigma = _parts(x, eps)
    dx: Array = gamma / sigma * (dy - dy.sum(axis=0) - c / sigma * (dy * c / sigma).sum(axis=0))
    return dx


def _dx_with_x(x: Array, dy: Array, gamma: Array, eps: float) -> Array:
    c, sigma = _parts(x, eps)
    dx: Array = gamma / sigma * (dy - dy.mean(axis=0) - x * (dy * c / sigma).mean(axis=0))
    return dx


def _dx_plus(x: Array, dy: Array, gamma: Array, eps: float) -> Array:
    c, sigma = _parts(x, eps)
    dx: Array = gamma / sigma * (dy - dy.mean(axis=0) + c / sigma * (dy * c / sigma).mean(axis=0))
    return dx


def _dgamma(x: Array, dy: Array, eps: float, ddof: int = 0) -> Array:
    c, sigma = _parts(x, eps, ddof)
    dgamma: Array = (dy * c / sigma).sum(axis=0)
    return dgamma


BACKWARD = FunctionCheck(
    "batch_norm_backward",
    ("dx", "dgamma", "dbeta"),
    [
        Case("a batch of 32", {"x": _x, "dy": _dy, "gamma": _gamma, "eps": _EPS}, _SIZES),
        Case(
            "as many rows as features",
            {"x": _small, "dy": _rng.normal(size=(4, 4)), "gamma": np.array([1.0, 2, 3, 4]), "eps": _EPS},
            {"N": 4},
        ),
        Case("", {"x": _x, "dy": _dy, "gamma": _gamma, "eps": _EPS}, _SIZES).in_single_precision(),
    ],
    lambda x, dy, gamma, eps: (
        gradient(lambda x: _y(x, gamma, np.zeros_like(gamma), eps), x, dy),
        gradient(lambda gamma: _y(x, gamma, np.zeros_like(gamma), eps), gamma, dy),
        gradient(lambda beta: _y(x, gamma, beta, eps), np.zeros_like(gamma), dy),
    ),
    [
        Slip(
            "no paths through μ and σ",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, gamma, eps, mean=False, variance=False),
            "Your dx is (γ/σ) dy, as if μ and σ were constants: both depend on every x of the batch. The terms − "
            "dβ/N (through μ) and − x̂ dγ/N (through σ) are missing.",
        ),
        Slip(
            "no path through μ",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, gamma, eps, mean=False),
            "In your dx, the path through the mean μ is missing, the term − dβ / N. All else is right.",
        ),
        Slip(
            "no path through σ",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, gamma, eps, variance=False),
            "In your dx, the path through the variance σ is missing, the term − x̂ dγ / N. All else is right.",
        ),
        Slip(
            "no γ",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, np.ones_like(gamma), eps),
            "In your dx, γ is missing: the factor is γ/σ.",
        ),
        Slip(
            "no σ",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, gamma, eps) * _parts(x, eps)[1],
            "In your dx, 1/σ is missing: the factor is γ/σ.",
        ),
        Slip(
            "sums for means",
            "dx",
            _dx_sums,
            "In your dx, dβ and dγ are not divided by N: the terms are − dβ / N and − x̂ dγ / N, and N is {N}.",
        ),
        Slip("x for x̂", "dx", _dx_with_x, "In your dx, x stands where x̂ = (x − μ) / σ should: the term is − x̂ dγ / N."),
        Slip("variance sign", "dx", _dx_plus, "In your dx, the term with dγ has the wrong sign: − x̂ dγ / N."),
        Slip(
            "dx is dy γ",
            "dx",
            lambda x, dy, gamma, eps: dy * gamma,
            "Your dx is γ dy, which is dx̂: the way from x̂ back to x is missing.",
        ),
        Slip(
            "dx without ε",
            "dx",
            lambda x, dy, gamma, eps: _dx(x, dy, gamma, 0.0),
            "Your dx is made with a σ without ε: σ = √(variance + ε), as in the forward pass.",
        ),
        Slip(
            "dγ of x",
            "dgamma",
            lambda x, dy, gamma, eps: (dy * x).sum(axis=0),
            "Your dγ is Σ dy x: γ multiplies x̂, so it is Σ dy x̂.",
        ),
        Slip(
            "dγ of c",
            "dgamma",
            lambda x, dy, gamma, eps: (dy * _parts(x, eps)[0]).sum(axis=0),
            "Your dγ is Σ dy c: γ multiplies x̂ = c / σ, so 1/σ is missing.",
        ),
        Slip(
            "dγ mean",
            "dgamma",
            lambda x, dy, gamma, eps: _dgamma(x, dy, eps) / len(x),
            "Your dγ is exactly {N} times too small: {N} is the size of the batch. It is the sum over the batch; the "
            "mean's 1/N is in dy already.",
        ),
        Slip(
            "dγ without sum",
            "dgamma",
            lambda x, dy, gamma, eps: dy * _parts(x, eps)[0] / _parts(x, eps)[1],
            "Your dγ lacks the sum over the batch: one γ acts on all {N} rows.",
        ),
        Slip(
            "dγ unbiased",
            "dgamma",
            lambda x, dy, gamma, eps: _dgamma(x, dy, eps, 1),
            "Your dγ is made with a variance that is divided by N − 1 (ddof=1): it is divided by N.",
        ),
        Slip(
            "dγ without ε",
            "dgamma",
            lambda x, dy, gamma, eps: _dgamma(x, dy, 0.0),
            "Your dγ is made with a σ without ε: σ = √(variance + ε), as in the forward pass.",
        ),
        Slip(
            "dβ mean",
            "dbeta",
            lambda x, dy, gamma, eps: dy.mean(axis=0),
            "Your dβ is exactly {N} times too small: {N} is the size of the batch. It is the sum over the batch; the "
            "mean's 1/N is in dy already.",
        ),
        Slip(
            "dβ without sum",
            "dbeta",
            lambda x, dy, gamma, eps: dy,
            "Your dβ is dy: the sum over the batch is missing, as one β acts on all {N} rows.",
        ),
        Slip(
            "dβ wrong axis",
            "dbeta",
            lambda x, dy, gamma, eps: dy.sum(axis=1),
            "Your dβ sums over the features (axis 1): the batch is axis 0.",
        ),
    ],
    NUMERICAL,
)
