"""Measures of the inside of a network in training: where gradients vanish or explode, and where units have died.

Backpropagation multiplies a gradient by the Jacobian of one layer after the other. If these shrink it, hardly anything
is left for the first layers, which then do not learn; if they stretch it, one step throws the weights out of the valley
(Bengio, Simard & Frasconi 1994; Glorot & Bengio 2010, whose figures plot what is measured here).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil, hypot
from typing import Final, Literal

import numpy as np

from core.kernels.arrays import Array
from core.nn.layer import Layer
from core.nn.sequential import Sequential
from core.optim.clip import gradient_norm

Visit = Callable[[str, Array], None]
"""Called with a layer's full name and its output."""

AUTO: Final = "auto"

Every = int | Literal["auto"]
"""Which steps are measured: every n-th one; 0, none; or as `steps_between` says."""

LOOKS = 30
"""About how many steps of a training are measured where nobody said which: enough for a curve. Twice as many would
cost more than 3% of a training of a few seconds.
"""

MOST_PARAMETERS = 500_000
"""Of a network that is measured unasked: a look copies all weights, and passes a batch through once more."""

_CLOSEST = 16
"""Unasked, at most every so many steps are measured: of a small network, a look takes as long as three to six steps."""


@dataclass(frozen=True)
class LayerDiagnostics:
    """One layer at one step.

    Attributes:
        name: Full name, e.g. `0.dense`, or `3.residual.0.dense` for a layer within a block.
        mean: Of the layer's outputs for the batch.
        std: Their standard deviation. From layer to layer it should neither fade nor grow.
        idle: Share of units that pass on hardly any gradient, 0 to 1; None where that is not defined. A unit of a ReLU
            is idle ("dead") if it is 0 for every image of the batch; an output of a sigmoid or tanh ("saturated") if
            its slope is below a twentieth of the largest.
        gradient_norm: ‖g‖ over the layer's own parameters, before clipping; None for a layer that has none.
        update_ratio: ‖Δw‖ / ‖w‖, how far the step moved them: 10⁻³ is usual, and 1 amounts to starting over. None for a
            layer that has none of its own, or if all were 0.
    """

    name: str
    mean: float
    std: float
    idle: float | None = None
    gradient_norm: float | None = None
    update_ratio: float | None = None


@dataclass(frozen=True)
class StepDiagnostics:
    """Every layer at one step.

    Attributes:
        step: From 0, over all epochs.
        layers: The first layer first; a layer that is made of layers is followed by those.
    """

    step: int
    layers: tuple[LayerDiagnostics, ...]


@dataclass(frozen=True)
class BeforeUpdate:
    """A step between its backward pass and its update.

    Attributes:
        layers: All but their update ratios.
        weights: A copy of every parameter, by full name.
    """

    layers: tuple[LayerDiagnostics, ...]
    weights: Mapping[str, Array]


def steps_between(every: Every, *, steps: int, parameters: int) -> int:
    """From each measured step to the next; 0 if none is measured.

    Args:
        every: A number, which is the answer; or "auto": about `LOOKS` looks over the whole training if the network has
            at most `MOST_PARAMETERS` parameters, none otherwise.
        steps: Of the whole training.
        parameters: How many numbers the network learns.
    """
    if every != AUTO:
        return every
    return max(_CLOSEST, ceil(steps / LOOKS)) if parameters <= MOST_PARAMETERS else 0


class Inspector:
    """Measures every layer at every n-th step of a training.

    Attributes:
        found: The measures, the first step's first.
    """

    def __init__(self, network: Sequential, every: int) -> None:
        """Measure nothing yet.

        Args:
            network: The network that is trained.
            every: n; 0 measures no step at all.
        """
        self.found: list[StepDiagnostics] = []
        self._network, self._every = network, every

    @contextmanager
    def around(self, step: int, x: Array) -> Iterator[None]:
        """Measure before and after the update that is made in this context, if it is the turn of this step.

        Args:
            step: Its number.
            x: The batch that gave the gradients, (N, *input_shape).
        """
        if not self._every or step % self._every:
            yield
            return
        before = look(self._network, x)
        yield
        self.found.append(compare(before, self._network, step))


def look(network: Sequential, x: Array) -> BeforeUpdate:
    """Measure outputs and gradients, without changing a bit of the training.

    Args:
        network: After its backward pass, before gradients are clipped.
        x: The batch, (N, *input_shape). It passes through a twin once more, whose dropout draws other masks.
    """
    outputs: dict[str, LayerDiagnostics] = {}

    def visit(name: str, y: Array) -> None:
        idle = _IDLE.get(kind_of(name))
        outputs[name] = LayerDiagnostics(
            name=name,
            mean=float(y.mean(dtype=np.float64)),
            std=float(y.std(dtype=np.float64)),
            idle=None if idle is None else idle(y),
        )

    walk(network, x, visit)
    layers = []
    for name, layer in network.named_layers():
        own = layer.parameters if _is_leaf(layer) else {}
        norm = hypot(*(gradient_norm(p) for p in own.values())) if own else None
        layers.append(replace(outputs[name], gradient_norm=norm))
    return BeforeUpdate(tuple(layers), {name: p.value.copy() for name, p in network.parameters.items()})


def compare(before: BeforeUpdate, network: Sequential, step: int) -> StepDiagnostics:
    """Complete the measures with how far the step moved each layer.

    Args:
        before: What `look` found before the update.
        network: After the update.
        step: The number of the step.
    """
    ratios: dict[str, float] = {}
    for name, layer in network.named_layers():
        if not _is_leaf(layer):
            continue
        old = {own: before.weights[f"{name}.{own}"] for own in layer.parameters}
        size = _norm(old.values())
        if size:
            ratios[name] = _norm(p.value - old[own] for own, p in layer.parameters.items()) / size
    return StepDiagnostics(step, tuple(replace(found, update_ratio=ratios.get(found.name)) for found in before.layers))


def walk(network: Sequential, x: Array, visit: Visit, *, training: bool = True) -> None:
    """Pass x through a twin of the network, and call `visit` with the output of each layer, in the order of the recipe.

    The network itself, its running averages and its random numbers stay as they are.
    """
    twin = network.with_own_gradients()
    twin.as_written()
    for name, layer in twin.named_layers():
        vars(layer).update(forward=_shown(layer, name, visit))  # the twin is discarded, and this with it
    twin.forward(x, training=training)


def kind_of(name: str) -> str:
    """`3.residual.0.dense` → "dense"."""
    return name.rpartition(".")[2]


def _shown(layer: Layer, name: str, visit: Visit) -> Callable[..., Array]:
    forward = layer.forward

    def shown(x: Array, *, training: bool = False) -> Array:
        y = forward(x, training=training)
        visit(name, y)
        return y

    return shown


def _dead(y: Array) -> float:
    """Share of units that are 0 for the whole batch, with y (N, …, units); of feature maps, a unit is a channel."""
    return float((y == 0).all(axis=tuple(range(y.ndim - 1))).mean())


def _saturated(y: Array) -> float:
    """Share of a tanh's outputs where the slope 1 − y² is below a twentieth of its largest, 1."""
    return float((y * y > 0.95).mean())


_IDLE: dict[str, Callable[[Array], float]] = {
    "relu": _dead,
    "tanh": _saturated,
    "sigmoid": lambda y: _saturated(2 * y - 1),  # σ(x) = ½ (1 + tanh(x / 2))
}


def _is_leaf(layer: Layer) -> bool:
    return next(layer.named_layers(), None) is None


def _norm(arrays: Iterable[Array]) -> float:
    return hypot(*(float(np.linalg.norm(array)) for array in arrays))
