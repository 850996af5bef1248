"""`python -m benchmarks.dense.step_parts CASE THREADS SECONDS`: the parts of a step, as JSON; see `measure`."""

import json
import sys
from dataclasses import asdict, dataclass, replace
from time import perf_counter

from benchmarks.cases import TRAINING, chosen
from benchmarks.dense.clocks import Clocks
from benchmarks.ours import OurTraining

__all__ = ["Part", "parts"]


@dataclass(frozen=True)
class Part:
    """One kind of call.

    Attributes:
        name: What it is.
        microseconds: In a step, all calls of the kind together.
        gflops: Billions of additions and multiplications a second; None for what is no matrix product.
    """

    name: str
    microseconds: float
    gflops: float | None = None


def parts(case: str, threads: int, seconds: float) -> list[Part]:
    """The kinds of calls of a training step, in the order in which they come first; at the end, what is between them.

    Args:
        case: The name of a training case without convolutions.
        threads: BLAS threads.
        seconds: How long to train.
    """
    [found] = chosen(TRAINING, case)
    ours = OurTraining(replace(found, shards=1, threads=threads))
    clocks = Clocks()
    with clocks.on(ours.network.named_layers()):
        ours.begin()
        for _ in range(50):  # the first steps allocate
            ours.step()
        clocks.seconds.clear()
        clocks.products.clear()
        steps, started = 0, perf_counter()
        while (elapsed := perf_counter() - started) < seconds:
            ours.step()
            steps += 1
    each = [
        Part(name, 1e6 * spent / steps, clocks.products[name] / spent / 1e9 if name in clocks.products else None)
        for name, spent in clocks.seconds.items()
    ]
    between = 1e6 * (elapsed - sum(clocks.seconds.values())) / steps
    return [*each, Part("between the calls", between)]


if __name__ == "__main__":
    _, named, count, duration = sys.argv
    json.dump([asdict(part) for part in parts(named, int(count), float(duration))], sys.stdout)
