"""Forward passes compared with ONNX Runtime, each on one thread."""

from functools import partial

from benchmarks.cases import INFERENCE, Case, chosen
from benchmarks.contender import Contender
from benchmarks.ours import OurInference
from benchmarks.result import Result
from benchmarks.runner import Peer, compare

TOLERANCE = 1e-5
"""For sums of up to 784 float32 numbers, added in different orders."""


def measure(pattern: str, rounds: int, seconds: float) -> list[Result]:
    """Measure all cases that match a pattern.

    Raises:
        ConfigError: No case matches.
    """
    results: list[Result] = []
    for case in chosen(INFERENCE, pattern):
        peers = [Peer("onnxruntime", "onnxruntime", partial(_onnx, case), also=("onnx",))]
        results += compare(
            case.name, partial(OurInference, case), peers, rounds=rounds, seconds=seconds, tolerance=TOLERANCE
        )
    return results


def _onnx(case: Case) -> Contender:
    from benchmarks.onnx_runtime import OnnxInference  # here, because it may not be installed

    return OnnxInference(case)
