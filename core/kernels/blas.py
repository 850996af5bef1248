"""The BLAS that NumPy multiplies with: how many threads it has, and which form of a product suits it."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_info, threadpool_limits

from core.kernels.product import slicing

_SMALL_KERNELS = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})
"""OpenBLAS's names of the processors for which it has kernels for small matrices; all three have the same ones."""


@contextmanager
def blas_threads(count: int | None) -> Iterator[None]:
    """Compute on as many threads, with products in the form that suits them.

    Args:
        count: BLAS threads; None leaves them as they are.
    """
    with threadpool_limits(count, user_api="blas"), slicing(slices_suit()):
        yield


def slices_suit() -> bool:
    """Whether products are faster in slices now: see `core.kernels.product`."""
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return bool(found) and all(
        library["num_threads"] == 1 and library.get("architecture") in _SMALL_KERNELS for library in found
    )
