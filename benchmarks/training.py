"""Training steps compared with PyTorch and scikit-learn, on the same two cores."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from benchmarks.cases import CORES, TRAINING, TrainingCase, chosen
from benchmarks.contender import Contender
from benchmarks.ours import OurTraining
from benchmarks.result import Result
from benchmarks.runner import Peer, compare

TOLERANCE = 1e-9
"""For losses in float64. In float32, even a tolerance of 0.001 would hardly suffice: Adam divides a gradient by its own
magnitude, so if a gradient is pure rounding error (as for a bias before a batch norm), rounding decides the step."""


def measure(
    pattern: str, rounds: int, seconds: float, *, shards: int | None = None, threads: int | None = None
) -> list[Result]:
    """Measure all cases that match a pattern.

    Args:
        pattern: A pattern for the names of cases.
        rounds: How often each side is measured.
        seconds: How long each side is measured in each round.
        shards: Shards of a batch on our side; None uses the case's number.
        threads: BLAS threads of each shard; None uses the case's number.

    Raises:
        ConfigError: No case matches.
    """
    results: list[Result] = []
    for case in chosen(TRAINING, pattern):
        ours = replace(case, shards=shards or case.shards, threads=threads or case.threads)
        peers = [Peer(name, package, partial(make, case)) for name, package, make in PEERS if name in case.peers]
        results += compare(
            case.name, partial(OurTraining, ours), peers, rounds=rounds, seconds=seconds, tolerance=TOLERANCE
        )
    return results


def _pytorch(case: TrainingCase, *, threads: int = CORES, channels_last: bool = False) -> Contender:
    from benchmarks.pytorch import PyTorchTraining  # here, because it may not be installed

    return PyTorchTraining(case, threads=threads, channels_last=channels_last)


def _scikit(case: TrainingCase, *, threads: int = CORES) -> Contender:
    from benchmarks.scikit import ScikitTraining

    return ScikitTraining(case, threads=threads)


PEERS: tuple[tuple[str, str, Callable[[TrainingCase], Contender]], ...] = (
    ("pytorch", "torch", _pytorch),
    ("pytorch, 1 thread", "torch", partial(_pytorch, threads=1)),
    ("pytorch, channels_last", "torch", partial(_pytorch, channels_last=True)),
    ("scikit-learn", "scikit-learn", _scikit),
    ("scikit-learn, 1 thread", "scikit-learn", partial(_scikit, threads=1)),
)
"""Name, required package, and the function that creates the contender. By default, both peers use all cores, which for
small batches may be slower than one thread: then compare with their row for one thread."""
