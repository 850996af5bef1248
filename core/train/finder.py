"""The learning-rate range test: which rates make the loss fall, tried within a few hundred steps."""

from dataclasses import dataclass
from itertools import chain, repeat
from math import isfinite

import numpy as np

from core.data.batches import Batches
from core.errors import ConfigError, DivergenceError
from core.kernels.blas import blas_threads
from core.train.training import Training
from core.train.training_plan import TrainingPlan

_SMOOTHING = 0.95
"""Weight of the past in the smoothed loss, which is thus a mean over about the last 20 batches."""

_DIVERGED = 4.0
"""The test ends once the smoothed loss is this many times the lowest so far: from there on it only rises."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Attributes:
        rates: The learning rates that were tried, each larger than the one before by the same ratio.
        losses: The smoothed training loss at each, in nats.
        suggestion: A rate to train with: a tenth of the one at which the smoothed loss was lowest. At the lowest point
            the loss has almost stopped falling, so that rate is about the largest that can work; a tenth of it leaves
            room for a whole training.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def range_test(
    training: Training,
    train: Batches,
    plan: TrainingPlan,
    *,
    first: float = 1e-6,
    last: float = 10.0,
    steps: int = 200,
) -> RangeTest:
    """Train a little with ever larger rates, and see where the loss falls (Smith 2017, §3.3).

    The rate grows by the same ratio at each step, because loss against the logarithm of the rate is what is read. The
    test stops early when the loss diverges. Afterwards the states of network and optimizer are restored bit for bit.

    Args:
        training: At its beginning. Each optimizer has its own range of rates.
        train: Shuffled batches; passed over as often as needed, so their generator is further on afterwards.
        plan: Gives the loss and the BLAS threads; its own learning rate and schedule are not used.
        first: Smallest rate.
        last: Largest rate.
        steps: How many rates to try.

    Raises:
        ConfigError: The rates do not rise from above 0, or fewer than 2 steps.
        DivergenceError: The loss was not finite even before the first step.
    """
    if not (0 < first < last and isfinite(last)) or steps < 2:
        raise ConfigError(
            f"range test: {steps} steps from {first} to {last}, expected at least 2, from above 0 upwards"
        )
    network, optimizer, criterion = training.network, training.optimizer, plan.loss()
    weights, state = network.state(), optimizer.state()
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    try:
        with blas_threads(plan.threads), np.errstate(over="ignore", invalid="ignore"):
            # No name refers to the iterator, so that an error in the loop ends the threads that prepare batches.
            for step, (x, labels) in zip(range(steps), chain.from_iterable(repeat(train)), strict=False):
                criterion.see(x)
                loss = criterion.forward(network.forward(x, training=True), labels)
                mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
                smoothed = mean / (1 - _SMOOTHING ** (step + 1))  # corrects for the 0 that the mean began with
                if not isfinite(loss) or (losses and smoothed > _DIVERGED * min(losses)):
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
        raise DivergenceError(f"range test: the loss is {loss} before the first step; are the inputs normalized?")
    best = rates[losses.index(min(losses))]
    return RangeTest(rates=tuple(rates), losses=tuple(losses), suggestion=best / 10)
