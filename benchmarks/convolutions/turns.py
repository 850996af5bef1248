"""Calls that compute the same numbers, measured in turns within one process, on one thread."""

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter

import numpy as np

from benchmarks.result import Result
from benchmarks.runner import people
from core.kernels.arrays import Array
from core.kernels.blas import blas_threads

__all__ = ["BATCH", "Call", "in_turns", "pace"]

Call = Callable[[], Array]
"""Computes a batch of `BATCH` pictures, in memory of its own."""

BATCH = 64
"""A shard of a batch of 128."""

TOLERANCE = 1e-4
"""The largest difference of what agrees, relative to our largest number. Winograd's sums are longer than they look."""


def in_turns(case: str, ours: Call, others: Mapping[str, Call], rounds: int, seconds: float) -> Iterator[Result]:
    """A result for each of the others."""
    expected = ours().copy()
    allowed = TOLERANCE * np.abs(expected).max()
    agrees = {name: bool(np.abs(call() - expected).max() <= allowed) for name, call in others.items()}
    our_rates: list[float] = []
    rates: dict[str, list[float]] = {name: [] for name in others}
    for number in range(1, rounds + 1):
        people.print(f"{case}: round {number} of {rounds}", style="dim")
        our_rates.append(pace(ours, seconds))
        for name, call in others.items():
            rates[name].append(pace(call, seconds))
    for name in others:
        yield Result.of_rates(case, name, our_rates, rates[name], agrees=agrees[name])


def pace(call: Call, seconds: float) -> float:
    """Pictures per second."""
    with blas_threads(1):
        call()
        count, began = 0, perf_counter()
        while (elapsed := perf_counter() - began) < seconds or not count:
            call()
            count += 1
    return count * BATCH / elapsed
