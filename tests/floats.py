"""Comparisons of floats, each of which says what is compared.

The same computation: `assert_same_bits`, `np.testing.assert_array_equal` or `==`. The same operations in the same
order give the same bits. A matrix product is the same computation only where its shapes, its memory layout, its number
of threads and its BLAS kernel are the same. OpenBLAS chooses a kernel by the processor and by the sizes: a row that is
computed alone and the same row within a batch are two computations.

The same function: `assert_same_function`. Two computations that would agree in exact arithmetic, such as two sizes of
a batch, two layouts, float32 beside float64, or a plain twin. The tolerance is derived from the floats' precision and
from the number of terms.

A value worked out by hand: `by_hand`. A few operations, each rounded once, and no long sum.

Anything else: `close` and `assert_close`, whose `why` names the reason for the difference and so for the bound: the
statistic of a sample, a published figure, an approximation.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike


def assert_same_bits(found: ArrayLike, expected: ArrayLike, message: str = "") -> None:
    """The same dtype, the same shape, and the same numbers to the last bit; NaN equals NaN."""
    np.testing.assert_array_equal(found, expected, message, strict=True)


def tolerance(terms: int, dtype: DTypeLike = np.float32, scale: float = 1.0) -> float:
    """How far two computations of one sum may lie apart: √terms · eps · scale.

    Summed in any order, n products are off by at most γ_n Σ|xᵢ||wᵢ|, where γ_n = n u / (1 − n u) and u = eps / 2
    (Higham 2002, "Accuracy and Stability of Numerical Algorithms", §3.1 and §4.2). That worst case needs every rounding
    to err the same way. Where they err independently, n becomes λ√n (Higham & Mary 2019, "A New Approach to
    Probabilistic Rounding Error Analysis"). λ = 1 is used: the least favorable sum, of n equal terms one after another,
    has an error of standard deviation √n u Σ|xᵢ||wᵢ| / 3, and terms of both signs, or a kernel with several partial
    sums, have a far smaller one. Each of the two computations may err by √n u Σ|xᵢ||wᵢ|, hence the factor 2 u = eps.
    For two independent errors of the least favorable kind, that is more than four standard deviations.

    Args:
        terms: The length of the longest sum; for sums of sums, as of several layers, their lengths added up.
        dtype: Of the less precise of the two computations.
        scale: An upper estimate of Σ|xᵢ||wᵢ|.
    """
    return float(np.sqrt(terms) * np.finfo(dtype).eps * scale)


def assert_same_function(
    found: ArrayLike,
    expected: ArrayLike,
    *,
    terms: int,
    dtype: DTypeLike | None = None,
    scale: float | None = None,
    message: str = "",
) -> None:
    """Two computations of one function, equal up to the rounding that `tolerance` derives.

    Args:
        found: The result under test.
        expected: The same function, computed otherwise.
        terms: See `tolerance`.
        dtype: See `tolerance`; that of `found`, unless given.
        scale: See `tolerance`; the largest magnitude in `expected`, unless given. That holds for arrays whose sums are
            alike and do not all cancel, and for probabilities, which are at most 1.
        message: Shown where they differ.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    if scale is None:
        scale = float(np.abs(expected).max(initial=0))
    allowed = tolerance(terms, found.dtype if dtype is None else dtype, scale)
    np.testing.assert_allclose(found, expected, rtol=0, atol=allowed, err_msg=message)  # noqa: TID251 — derived


def by_hand(expected: Any, dtype: DTypeLike = np.float64) -> Any:
    """A number, or an array of them, worked out by hand: `assert found == by_hand([0.95, 0.805])`.

    A handful of operations, each of which rounds by half an eps of a number near 1: sixteen eps are ample.
    """
    allowed = 16 * float(np.finfo(dtype).eps)
    values = expected if np.isscalar(expected) else np.asarray(expected)
    return pytest.approx(values, rel=allowed, abs=allowed)  # noqa: TID251 — here it is derived


def close(expected: Any, *, why: str, rel: float = 0.0, abs: float = 0.0) -> Any:  # noqa: A002 — as pytest names it
    """A number that is only near another, for the reason that `why` gives: `assert found == close(…, rel=…, why=…)`."""
    assert why
    return pytest.approx(expected, rel=rel, abs=abs)  # noqa: TID251 — the reason stands beside it


def assert_close(found: ArrayLike, expected: ArrayLike, *, why: str, rel: float = 0.0, abs: float = 0.0) -> None:  # noqa: A002
    """Arrays that are only near each other, for the reason that `why` gives."""
    np.testing.assert_allclose(found, expected, rtol=rel, atol=abs, err_msg=why)  # noqa: TID251 — the reason stands beside it
