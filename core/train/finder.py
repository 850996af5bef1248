"""The learning-rate range test: which rates make the loss fall, tried in some hundred steps."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from math import isfinite

import numpy as np

from core.data.batches import Batches
from core.errors import ConfigError, DivergenceError
from core.kernels.blas import blas_threads
from core.nn.losses import Loss, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import Optimizer

_SMOOTHING = 0.95
"""Weight of the past in the smoothed loss: it is a mean of about the last 20 batches."""

_DIVERGED = 4.0
"""The test ends once the smoothed loss is so many times the best: from there on it only rises."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Attributes:
        rates: Learning rates that were tried, rising by the same ratio.
        losses: The smoothed training loss at each, in nats.
        suggestion: A rate to train with: a tenth of the one at which the smoothed loss was lowest. There it has almost
            stopped to fall, so that is about the largest rate that can work; a tenth leaves room for a whole training.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def range_test(
    network: Sequential,
    optimizer: Optimizer,
    train: Batches,
    *,
    first: float = 1e-6,
    last: float = 10.0,
    steps: int = 200,
    loss: Callable[[], Loss] = SoftmaxCrossEntropy,
    threads: int | None = None,
) -> RangeTest:
    """Train a little with ever larger rates, and see where the loss falls (Smith 2017, §3.3).

    The rate grows by the same ratio at each step, as loss against the logarithm of the rate is what is read. The test
    stops early when the loss diverges. Afterwards, the states of network and optimizer are what they were, bit for bit.

    Args:
        network: As it would be at the start of training.
        optimizer: The one to find a rate for; each has its own range.
        train: Shuffled batches; passed over as often as needed, so their order is another afterwards.
        first: Smallest rate.
        last: Largest rate.
        steps: How many rates to try.
        loss: What is minimized.
        threads: BLAS threads; None leaves NumPy's own choice.

    Raises:
        ConfigError: The rates do not rise from above 0, or fewer than 2 steps.
        DivergenceError: The loss was not finite at the first rate already.
    """
    if not (0 < first < last and isfinite(last)) or steps < 2:
        raise ConfigError(
            f"range test: {steps} steps from {first} to {last}, expected at least 2, from above 0 upwards"
        )
    weights, state = network.state(), optimizer.state()
    criterion = loss()
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    try:
        with blas_threads(threads), np.errstate(over="ignore", invalid="ignore"):
            # Held by the loop alone, so that an error in it ends the threads that prepare batches.
            for step, (x, labels) in zip(range(steps), chain.from_iterable(repeat(train)), strict=False):
                found = criterion.forward(network.forward(x, training=True), labels)
                mean = _SMOOTHING * mean + (1 - _SMOOTHING) * found
                smoothed = mean / (1 - _SMOOTHING ** (step + 1))  # without the 0 that the mean began with
                if not isfinite(found) or (losses and smoothed > _DIVERGED * min(losses)):
                    break
                rate = first * (last / first) ** (step / (steps - 1))
                rates.append(rate)
                losses.append(smoothed)
                network.backward(criterion.backward(), need_dx=False)
                optimizer.step(network.vector, rate)
    finally:
        network.load_state(weights)
        optimizer.load_state(state)
    if not losses:
        raise DivergenceError(f"range test: the loss is {found} before the first step; are the inputs normalized?")
    best = rates[losses.index(min(losses))]
    return RangeTest(rates=tuple(rates), losses=tuple(losses), suggestion=best / 10)
