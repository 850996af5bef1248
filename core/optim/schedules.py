"""Learning-rate schedules: pure functions of the step, (step, steps) → a factor on the base learning rate."""

from collections.abc import Callable
from math import cos, pi

Schedule = Callable[[int, int], float]


def constant(step: int, steps: int) -> float:  # noqa: ARG001 — one signature for all
    """1 throughout."""
    return 1.0


def cosine(step: int, steps: int) -> float:
    """½ (1 + cos(π · step / steps)): from 1 to 0 along half a cosine (Loshchilov & Hutter 2017, eq. 5).

    Large steps find the valley; ever smaller ones stop the noise of mini-batches from carrying the weights about in it.
    """
    return 0.5 * (1 + cos(pi * step / steps))


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "cosine": cosine,
}
