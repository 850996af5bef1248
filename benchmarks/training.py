"""Training steps against PyTorch and scikit-learn, each on the same two cores."""

from functools import partial

from benchmarks.cases import TRAINING, TrainingCase, chosen
from benchmarks.contender import Contender
from benchmarks.ours import OurTraining
from benchmarks.result import Result
from benchmarks.runner import Peer, compare

TOLERANCE = 1e-3
"""A learning rate that is 1 % off makes five times as much. Less would not do: Adam divides a gradient by its own size,
so where one is nothing but rounding (that of a bias before a batch norm), rounding decides the step."""


def measure(pattern: str, rounds: int, seconds: float) -> list[Result]:
    """All cases that match.

    Raises:
        ConfigError: None does.
    """
    results: list[Result] = []
    for case in chosen(TRAINING, pattern):
        known = {
            "pytorch": Peer("pytorch", "torch", partial(_pytorch, case, channels_last=False)),
            "pytorch, channels_last": Peer(
                "pytorch, channels_last", "torch", partial(_pytorch, case, channels_last=True)
            ),
            "scikit-learn": Peer("scikit-learn", "scikit-learn", partial(_scikit, case)),
        }
        peers = [known[name] for name in case.peers]
        results += compare(
            case.name, partial(OurTraining, case), peers, rounds=rounds, seconds=seconds, tolerance=TOLERANCE
        )
    return results


def _pytorch(case: TrainingCase, *, channels_last: bool) -> Contender:
    from benchmarks.pytorch import PyTorchTraining  # here, because it may not be installed

    return PyTorchTraining(case, channels_last=channels_last)


def _scikit(case: TrainingCase) -> Contender:
    from benchmarks.scikit import ScikitTraining

    return ScikitTraining(case)
