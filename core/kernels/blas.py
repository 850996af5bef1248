"""The BLAS with which NumPy multiplies: its number of threads, and the form of a product that is fastest with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_info, threadpool_limits

from core.kernels.product import slicing

_SMALL_KERNELS = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})
"""The processors, as OpenBLAS names them, for which it has kernels for small matrices: the same ones for all three."""


@contextmanager
def blas_threads(count: int | None) -> Iterator[None]:
    """Within the block, compute with this many BLAS threads, and with products in the form that is fastest for them.

    Args:
        count: BLAS threads; None leaves their number as it is.
    """
    with threadpool_limits(count, user_api="blas"), slicing(slices_suit()):
        yield


def slices_suit() -> bool:
    """Whether products are faster in slices with the present BLAS and its threads: see `core.kernels.product`."""
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return bool(found) and all(
        library["num_threads"] == 1 and library.get("architecture") in _SMALL_KERNELS for library in found
    )
