"""Learning-rate schedules: pure functions from the progress of training to a factor on the base learning rate.

Each is called with the step (from 0), the total number of steps, and the validation losses of the epochs that are done.
It keeps no state, so a resumed training continues with the same rates. Durations are shares of the training
(`warmup = 0.1` is its first tenth), so that a recipe means the same for any number of epochs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, inf, pi
from typing import Any, ClassVar

from core.errors import ConfigError
from core.optim.require import require
from core.registry import construct


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """A warm-up, then the schedule's own shape over the rest of the steps.

    The warm-up is linear (Goyal et al. 2017, §2.2): with k steps of it the factors are 1/(k + 1), 2/(k + 1), …, and
    the shape begins where they arrive at 1. It keeps the first, steepest gradients from throwing the weights far off.

    Attributes:
        kind: The name under which recipes know it.
        warmup: Share of the steps that warm up, 0 to below 1.
    """

    kind: ClassVar[str]
    warmup: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        self._require(0 <= self.warmup < 1, "warmup", "at least 0 and below 1")

    def __call__(self, step: int, steps: int, losses: Sequence[float] = ()) -> float:  # noqa: ARG002 — one signature for all
        """The factor for one step.

        Args:
            step: From 0 to `steps`; the last one that is made is `steps` − 1.
            steps: How many are planned, at least 1.
            losses: Validation losses of the epochs that are done, the first epoch's first.
        """
        warm = min(round(self.warmup * steps), steps - 1)
        return self._rise(step, warm) if step < warm else self._shape(step - warm, steps - warm)

    def _rise(self, step: int, warm: int) -> float:
        return (step + 1) / (warm + 1)

    @abstractmethod
    def _shape(self, step: int, steps: int) -> float:
        """The factor at `step` of `steps`, both counted from the end of the warm-up."""

    def _require(self, condition: bool, option: str, expected: str) -> None:
        require(condition, self.kind, option, getattr(self, option), expected)


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """1 throughout."""

    kind: ClassVar[str] = "constant"

    def _shape(self, step: int, steps: int) -> float:  # noqa: ARG002 — one signature for all
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """½ (1 + cos(π · step / steps)): from 1 to `end` along half a cosine (Loshchilov & Hutter 2017, eq. 5).

    Large steps find the valley; ever smaller ones keep the noise of mini-batches from pushing the weights about in it.
    """

    kind: ClassVar[str] = "cosine"
    end: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 <= self.end <= 1, "end", "0 to 1")

    def _shape(self, step: int, steps: int) -> float:
        return _half_cosine(1, self.end, step, steps)


@dataclass(frozen=True, kw_only=True)
class Step(Schedule):
    """Multiplied by `factor` at each share `at` of the steps (He et al. 2016, §4.2: divided by 10 at 50% and 75%)."""

    kind: ClassVar[str] = "step"
    at: Sequence[float] = (0.5, 0.75)
    factor: float = 0.1

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        object.__setattr__(self, "at", tuple(self.at))  # recipes give a list
        rising = all(a < b for a, b in pairwise((0, *self.at, 1)))
        self._require(rising, "at", "rising shares between 0 and 1")
        self._require(0 < self.factor <= 1, "factor", "above 0 and at most 1")

    def _shape(self, step: int, steps: int) -> float:
        return float(self.factor ** sum(step / steps >= share for share in self.at))


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """end^(step / steps): from 1 to `end`, by the same ratio at each step."""

    kind: ClassVar[str] = "exponential"
    end: float = 0.01

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 < self.end <= 1, "end", "above 0 and at most 1")

    def _shape(self, step: int, steps: int) -> float:
        return float(self.end ** (step / steps))


@dataclass(frozen=True, kw_only=True)
class OneCycle(Schedule):
    """From `start` up to 1 during the warm-up, then down to `end` (Smith & Topin 2018, §2).

    The high rates in the middle, higher than a constant rate could be, find flat valleys and find them soon. Rise and
    fall each follow half a cosine, as in PyTorch's `OneCycleLR` (start = 1/div_factor, end = start/final_div_factor);
    in the paper they are straight lines. Momentum is not cycled.
    """

    kind: ClassVar[str] = "one_cycle"
    warmup: float = 0.3
    start: float = 0.04
    end: float = 4e-6

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 < self.start <= 1, "start", "above 0 and at most 1")
        self._require(0 <= self.end <= 1, "end", "0 to 1")

    def _rise(self, step: int, warm: int) -> float:
        return _half_cosine(self.start, 1, step, warm)

    def _shape(self, step: int, steps: int) -> float:
        return _half_cosine(1, self.end, step, steps)


@dataclass(frozen=True, kw_only=True)
class ReduceOnPlateau(Constant):
    """Multiplied by `factor` whenever the validation loss stops falling, down to `end`; see `plateaus`."""

    kind: ClassVar[str] = "reduce_on_plateau"
    factor: float = 0.1
    patience: int = 3
    threshold: float = 1e-4
    end: float = 0.0

    def __post_init__(self) -> None:
        """Refuse impossible options."""
        super().__post_init__()
        self._require(0 < self.factor <= 1, "factor", "above 0 and at most 1")
        self._require(isinstance(self.patience, int) and self.patience >= 0, "patience", "whole epochs, at least 0")
        self._require(0 <= self.threshold < 1, "threshold", "at least 0 and below 1")
        self._require(0 <= self.end <= 1, "end", "0 to 1")

    def __call__(self, step: int, steps: int, losses: Sequence[float] = ()) -> float:
        """The factor for one step; see `Schedule.__call__`."""
        reduced = self.factor ** plateaus(losses, patience=self.patience, threshold=self.threshold)
        return super().__call__(step, steps) * max(self.end, reduced)


def plateaus(losses: Sequence[float], *, patience: int, threshold: float) -> int:
    """The number of plateaus in a history of losses: stretches of more than `patience` epochs without improvement.

    A loss is an improvement if it lies below the best so far by more than the share `threshold`. After a plateau the
    count of epochs starts again, while the best loss stays: PyTorch's `ReduceLROnPlateau`, as a fold over the history.
    """
    best, waited, found = inf, 0, 0
    for loss in losses:
        if loss < best * (1 - threshold):
            best, waited = loss, 0
        elif waited == patience:
            waited, found = 0, found + 1
        else:
            waited += 1
    return found


def _half_cosine(first: float, last: float, step: int, steps: int) -> float:
    return last + (first - last) * (0.5 * (1 + cos(pi * step / steps)))


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.kind: schedule for schedule in (Constant, Cosine, Step, Exponential, OneCycle, ReduceOnPlateau)
}


def schedule_from(entry: str | Mapping[str, Any]) -> Schedule:
    """The schedule that a recipe names: `"cosine"`, or with options, `{"kind": "one_cycle", "warmup": 0.2}`.

    Raises:
        ConfigError: An unknown name or option, or an impossible value.
    """
    options = {"kind": entry} if isinstance(entry, str) else dict(entry)
    kind = options.get("kind")
    if not isinstance(kind, str) or kind not in SCHEDULES:
        raise ConfigError(f"unknown schedule {kind!r}; known: {', '.join(SCHEDULES)}")
    return construct(SCHEDULES, options)
