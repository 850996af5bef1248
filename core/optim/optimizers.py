"""Update rules. An optimizer owns its state but no parameters; the caller passes the learning rate of each step.

Legend, used in every rule:

    w  the parameter          η  the learning rate of this step
    g  its gradient           λ  weight decay

Conventions are those of `torch.optim`: the gradient enters a momentum undamped, ε stands outside the square root, and
Nesterov's momentum is applied to the current gradient. So the same gradients give the same weights, up to rounding.
Weight decay is the exception: here it is always decoupled (Loshchilov & Hutter 2019), that is, it shrinks w by the
factor 1 − η λ and never passes through momentum or the scaling by past gradients.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import isfinite, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.kernels import aligned
from core.kernels.arrays import Array
from core.nn.layer import Parameter
from core.optim.require import require

BLOCK = 1 << 16
"""Weights that are updated at a time. A rule passes over a block several times: a much larger one would not stay in a
core's second-level cache in between, and smaller ones take more calls."""


class Optimizer(ABC):
    """Turns gradients into a step, in place; after the first step nothing is allocated.

    An optimizer with state belongs to the parameter of its first step, usually a network's whole `vector`.

    Attributes:
        kind: The name under which recipes know it.
        slots: Names of its state arrays, each as long as the parameter; 0 before the first step.
        weight_decay: λ.
        steps: How many steps have been made.
    """

    kind: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, weight_decay: float = 0.0) -> None:
        require(0 <= weight_decay < 1, self.kind, "weight_decay", weight_decay, "at least 0 and below 1")
        self.weight_decay = weight_decay
        self.steps = 0
        self._state: dict[str, NDArray[Any]] = {}
        self._scratch: NDArray[Any] = np.empty(0)

    def step(self, parameter: Parameter, learning_rate: float) -> None:
        """Update `parameter.value` from `parameter.grad`, block by block; usually that is a network's whole `vector`.

        Args:
            parameter: Value and gradient, (n,) each.
            learning_rate: η of this step.

        Raises:
            TrainingError: The state is that of another parameter.
        """
        arrays = self._begin(parameter)
        for start in range(0, len(parameter.value), BLOCK):
            w, g, *slots = (array[start : start + BLOCK] for array in arrays)
            if self.weight_decay:
                w *= 1 - learning_rate * self.weight_decay
            self._update(w, g, slots, learning_rate, self._scratch[: len(w)])

    @abstractmethod
    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:
        """The rule, for a block of weights to which weight decay has been applied; all arrays have one shape."""

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that the next step depends on: the step count and, from the first step on, every slot."""
        return {"steps": np.array(self.steps, np.int64)} | {name: array.copy() for name, array in self._state.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a `state()`: the next steps are bit for bit those that would have followed it.

        Raises:
            TrainingError: The names are not those of this kind of optimizer; nothing was changed.
        """
        steps = int(state["steps"]) if "steps" in state else 0
        expected = {"steps", *self.slots} if steps else {"steps"}
        if state.keys() != expected:
            raise TrainingError(
                f"{self.kind}: a state of {', '.join(sorted(state)) or 'nothing'}, "
                f"expected {', '.join(sorted(expected))}; was it saved by an optimizer of another kind?"
            )
        self.steps = steps
        self._state = {name: np.array(state[name]) for name in self.slots if steps}

    def _begin(self, parameter: Parameter) -> tuple[NDArray[Any], ...]:
        """Count one more step, and return w, g and each slot, all of one shape and type."""
        w = parameter.value
        if not self._state:
            self._state = {name: aligned.zeros(w.shape, w.dtype) for name in self.slots}
        for name, array in self._state.items():
            if array.shape != w.shape or array.dtype != w.dtype:
                raise TrainingError(
                    f"{self.kind}: {name} is {array.dtype} {array.shape}, but the parameter {w.dtype} {w.shape}; "
                    "an optimizer belongs to one parameter, and a saved state to the network it was saved with"
                )
        block = w[:BLOCK]
        if self._scratch.shape != block.shape or self._scratch.dtype != w.dtype:
            self._scratch = aligned.empty(block.shape, block.dtype)
        self.steps += 1
        return w, parameter.grad, *self._state.values()


class SGD(Optimizer):
    """w ← (1 − η λ) w − η g: one step down the slope (Robbins & Monro 1951; Bottou 2010, eq. 3).

    g is the gradient of one mini-batch, a noisy estimate of the whole training set's. λ pulls every weight a little
    towards 0, so that the network explains the data with weights no larger than it needs (Loshchilov & Hutter 2019,
    eq. 1; for plain SGD it equals an L2 penalty, so here it agrees with `torch.optim.SGD(weight_decay=λ)` too).
    """

    kind: ClassVar[str] = "sgd"

    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:  # noqa: ARG002 — one signature for all
        """w ← w − η g."""
        np.multiply(g, learning_rate, out=scratch)
        w -= scratch


class Momentum(Optimizer):
    """b ← μ b + g;  w ← (1 − η λ) w − η b: a ball that rolls down the slope (Polyak 1964, eq. 9).

    b gathers the gradients of about the last 1/(1 − μ) steps. Along a valley they add up, up to 1/(1 − μ) times; across
    it they change sign and cancel. `torch.optim.SGD(momentum=μ)`.
    """

    kind: ClassVar[str] = "momentum"
    slots: ClassVar[tuple[str, ...]] = ("b",)

    def __init__(self, *, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        super().__init__(weight_decay=weight_decay)
        require(0 <= momentum < 1, self.kind, "momentum", momentum, "at least 0 and below 1")
        self.momentum = momentum

    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:
        """b ← μ b + g;  w ← w − η b."""
        (b,) = slots
        b *= self.momentum
        b += g
        np.multiply(b, learning_rate, out=scratch)
        w -= scratch


class Nesterov(Momentum):
    """b ← μ b + g;  w ← (1 − η λ) w − η (g + μ b): momentum that looks ahead (Sutskever et al. 2013, eq. 3–4).

    The original measures g at the point to which the momentum is about to carry w. Here w is that point itself, as in
    `torch.optim.SGD(nesterov=True)`: g is measured at w, and the step includes what the momentum will add next.
    """

    kind: ClassVar[str] = "nesterov"

    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:
        """b ← μ b + g;  w ← w − η (g + μ b)."""
        (b,) = slots
        b *= self.momentum
        b += g
        np.multiply(b, self.momentum, out=scratch)
        scratch += g
        scratch *= learning_rate
        w -= scratch


class RMSprop(Optimizer):
    """v̂ ← ρ v̂ + (1 − ρ) g²;  w ← (1 − η λ) w − η g / (√v̂ + ε) (Tieleman & Hinton 2012, lecture 6e).

    Each weight's step is measured in units of its own recent gradients, so that progress along flat directions is as
    fast as along steep ones. `torch.optim.RMSprop(alpha=ρ)`.

    The state is v = v̂ / (1 − ρ), updated as the sum v ← ρ v + g² instead of the mean: that saves a pass over memory,
    and two scalars make up for the factor.
    """

    kind: ClassVar[str] = "rmsprop"
    slots: ClassVar[tuple[str, ...]] = ("v",)

    def __init__(self, *, decay: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0) -> None:
        super().__init__(weight_decay=weight_decay)
        require(0 <= decay < 1, self.kind, "decay", decay, "at least 0 and below 1")
        _require_eps(self.kind, eps)
        self.decay, self.eps = decay, eps

    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:
        """v ← ρ v + g²;  w ← w − (η √n) g / (√v + ε √n),  with n = 1 / (1 − ρ), so that v̂ = v / n."""
        root = sqrt(1 / (1 - self.decay))
        (v,) = slots
        np.multiply(g, g, out=scratch)
        v *= self.decay
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.eps * root
        np.divide(g, scratch, out=scratch)
        scratch *= learning_rate * root
        w -= scratch


class Adam(Optimizer):
    """w ← w − η m̂ / (√v̂ + ε): momentum in units of the recent gradients (Kingma & Ba 2015, algorithm 1).

    m̂ and v̂ are means of g and g² over all steps so far, in which the step i steps ago has weight β₁ⁱ and β₂ⁱ:

        m̂ = m / M,  m ← β₁ m + g,   M = 1 + β₁ + … + β₁ᵗ⁻¹ = (1 − β₁ᵗ) / (1 − β₁)
        v̂ = v / V,  v ← β₂ v + g²,  V = 1 + β₂ + … + β₂ᵗ⁻¹ = (1 − β₂ᵗ) / (1 − β₂)

    Dividing by the sum of the weights is what the paper calls bias correction. Keeping the sums m and v instead of the
    paper's (1 − β₁) m and (1 − β₂) v saves two passes over memory, and a tiny g² underflows later.

    `torch.optim.Adam(betas=(β₁, β₂))`. It has no weight decay: see `AdamW`.
    """

    kind: ClassVar[str] = "adam"
    slots: ClassVar[tuple[str, ...]] = ("m", "v")

    def __init__(self, *, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        super().__init__()
        require(0 <= beta1 < 1, self.kind, "beta1", beta1, "at least 0 and below 1")
        require(0 <= beta2 < 1, self.kind, "beta2", beta2, "at least 0 and below 1")
        _require_eps(self.kind, eps)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def _update(self, w: Array, g: Array, slots: Sequence[Array], learning_rate: float, scratch: Array) -> None:
        """w ← w − (η √V / M) m / (√v + ε √V), the formula of the class with its fractions cleared."""
        m, v = slots
        M = (1 - self.beta1**self.steps) / (1 - self.beta1)
        V = (1 - self.beta2**self.steps) / (1 - self.beta2)
        m *= self.beta1
        m += g
        np.multiply(g, g, out=scratch)
        v *= self.beta2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.eps * sqrt(V)
        np.divide(m, scratch, out=scratch)
        scratch *= learning_rate * sqrt(V) / M
        w -= scratch


class AdamW(Adam):
    """w ← (1 − η λ) w − η m̂ / (√v̂ + ε): Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2).

    An L2 penalty would pass through g into m and v, so that the weights with the largest gradients would decay least.
    Decay outside the step treats all weights alike. `torch.optim.AdamW(weight_decay=λ)`.
    """

    kind: ClassVar[str] = "adamw"

    def __init__(
        self, *, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.01
    ) -> None:
        super().__init__(beta1=beta1, beta2=beta2, eps=eps)
        require(0 <= weight_decay < 1, self.kind, "weight_decay", weight_decay, "at least 0 and below 1")
        self.weight_decay = weight_decay


def _require_eps(kind: str, eps: float) -> None:
    # An eps that float32 rounds to 0 would make the update of a weight without any gradient 0 / 0.
    least = float(np.finfo(np.float32).tiny)
    require(isfinite(eps) and eps >= least, kind, "eps", eps, f"a finite number of at least {least:.2g}")


OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.kind: optimizer for optimizer in (SGD, Momentum, Nesterov, RMSprop, Adam, AdamW)
}
