"""When products are computed in slices: on one thread of a BLAS that has kernels for small matrices."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from core.kernels import blas
from core.kernels.product import product_steps


def library(**changes: Any) -> dict[str, Any]:
    return {"user_api": "blas", "internal_api": "openblas", "num_threads": 1, "architecture": "SkylakeX"} | changes


@pytest.mark.parametrize(
    ("found", "suit"),
    [
        ([library()], True),
        ([library(architecture="SapphireRapids"), {"user_api": "openmp", "num_threads": 4}], True),
        ([library(architecture="Haswell")], False),
        ([library(num_threads=2)], False),
        ([library(), library(internal_api="mkl", architecture="unknown")], False),
        ([{"user_api": "blas", "internal_api": "blis", "num_threads": 1}], False),
        ([], False),
    ],
    ids=["one thread", "and OpenMP beside it", "no AVX-512", "two threads", "MKL too", "unnamed", "no BLAS known"],
)
def test_slices_suit_one_thread_with_kernels_for_small_matrices(
    monkeypatch: pytest.MonkeyPatch, found: list[dict[str, Any]], suit: bool
) -> None:
    monkeypatch.setattr(blas, "threadpool_info", lambda: found)
    assert blas.slices_suit() is suit


@pytest.mark.parametrize("suit", [True, False])
def test_setting_threads_also_switches_to_the_fastest_form_of_products(
    monkeypatch: pytest.MonkeyPatch, suit: bool
) -> None:
    monkeypatch.setattr(blas, "slices_suit", lambda: suit)
    a, b, out = (np.ones(shape, np.float32) for shape in ((64, 784), (784, 128), (64, 128)))
    before = [entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"]
    with blas.blas_threads(1):
        assert {entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"} == {1}
        assert (product_steps(a, b, out)[0].args[0] is not a) is suit
    assert [entry["num_threads"] for entry in threadpool_info() if entry["user_api"] == "blas"] == before
    assert product_steps(a, b, out)[0].args[0] is a
