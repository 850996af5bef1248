"""Which number was the first that is not finite.

The loop checks a few numbers at each step. The search for the culprit begins only when one of them is not finite, so a
training that goes well pays nothing for it.
"""

from collections.abc import Iterable
from math import isfinite

import numpy as np

from core.data.batches import Batches
from core.errors import DivergenceError
from core.kernels.arrays import Array
from core.nn.sequential import Sequential
from core.train.diagnostics import kind_of, walk


def check_loss(loss: float, network: Sequential, x: Array, *, step: int, rate: float) -> None:
    """Check the loss of a training batch.

    Args:
        loss: What was found.
        network: After the pass that gave the loss.
        x: The batch, (N, *input_shape).
        step: The step whose loss it is.
        rate: The learning rate of the last update.

    Raises:
        DivergenceError: It is not finite; the error names what was so first.
    """
    if not isfinite(loss):
        seen = f"step {step}: the loss is {loss}"
        raise _broken_forward(network, [x], seen=seen, update=step - 1, rate=rate, training=True)


def check_validation_loss(loss: float, network: Sequential, batches: Batches, *, step: int, rate: float) -> None:
    """Check the loss of the validation after an epoch.

    Args:
        loss: What was found.
        network: After the validation.
        batches: What was validated.
        step: The last step before the validation.
        rate: Its learning rate.

    Raises:
        DivergenceError: It is not finite; the error names what was so first.
    """
    if not isfinite(loss):
        seen, inputs = f"after step {step}: the validation loss is {loss}", (x for x, _ in batches)
        raise _broken_forward(network, inputs, seen=seen, update=step, rate=rate, training=False)


def check_gradient(norm: float, network: Sequential, *, step: int, rate: float) -> None:
    """Check the length of the whole gradient.

    Raises:
        DivergenceError: It is not finite; the error names the layer where it was so first, coming from the last layer.
    """
    if not isfinite(norm):
        broken = [name for name, p in network.parameters.items() if not np.isfinite(p.grad).all()]
        raise _error(f"step {step}: the gradient of {_parameter(broken[-1])} is not finite", rate, network)


def check_weights(network: Sequential, *, step: int, rate: float) -> None:
    """Check every parameter and buffer after an epoch: an activation may hide an infinite weight from every loss.

    Args:
        network: After the epoch's last update.
        step: That update.
        rate: Its learning rate.

    Raises:
        DivergenceError: One is not finite.
    """
    if broken := _broken_weights(network):
        raise _broken_update(network, broken, step=step, rate=rate)


def _broken_forward(
    network: Sequential, inputs: Iterable[Array], *, seen: str, update: int, rate: float, training: bool
) -> DivergenceError:
    """Find what was not finite first: a weight, the input, or the output of a layer.

    Args:
        network: After the pass that gave the loss.
        inputs: What was passed through it, each (N, *input_shape); it is passed again here, layer by layer.
        seen: The loss, in words.
        update: The step whose update was the last one.
        rate: Its learning rate.
        training: Whether the pass was one of training.
    """
    if broken := _broken_weights(network):
        return _broken_update(network, broken, step=update, rate=rate, seen=f"{seen}; ")
    layers: list[str] = []

    def visit(name: str, y: Array) -> None:
        if not np.isfinite(y).all():
            layers.append(name)

    for x in inputs:
        rows = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
        if len(rows):
            return DivergenceError(
                f"{seen}, and the input itself is not finite: {len(rows)} of the batch's {len(x)} images, the first at "
                f"place {rows[0]}. Look at the data, and at how it is normalized"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            walk(network, x, visit, training=training)
        if layers:
            break
    where = f"the output of {_place(layers[0])} is the first that is not finite" if layers else "all outputs are finite"
    return _error(f"{seen}; {where}", rate, network)


def _broken_update(
    network: Sequential, broken: list[str], *, step: int, rate: float, seen: str = ""
) -> DivergenceError:
    return _error(f"{seen}after the update of step {step}, {_parameter(broken[0])} is not finite", rate, network)


def _broken_weights(network: Sequential) -> list[str]:
    """Names of the parameters and buffers that are not finite, in the order in which they became so.

    Gradients run from the last layer to the first, and numbers that are not finite spread with them. Buffers are filled
    on the way forward.
    """
    parameters = [name for name, p in network.parameters.items() if not np.isfinite(p.value).all()]
    return parameters[::-1] + [name for name, buffer in network.buffers.items() if not np.isfinite(buffer).all()]


def _parameter(name: str) -> str:
    """`2.dense.W` → "W of layer 2 (dense)"."""
    layer, _, own = name.rpartition(".")
    return f"{own} of {_place(layer)}"


def _place(name: str) -> str:
    """`3.residual.0.dense` → "layer 3.residual.0 (dense)"."""
    kind = kind_of(name)
    return f"layer {name.removesuffix(f'.{kind}')} ({kind})"


def _error(found: str, rate: float, network: Sequential) -> DivergenceError:
    """What was found, the learning rate and the largest weight as evidence, and the advice."""
    size = {name: float(np.abs(p.value).max()) for name, p in network.parameters.items()}
    finite = {name: value for name, value in size.items() if np.isfinite(value)}
    largest = max(finite, key=finite.__getitem__, default=None)
    weight = f", the largest finite weight {finite[largest]:.2g} in {largest}" if largest else ""
    return DivergenceError(f"{found} (learning rate {rate:g}{weight}). Try a smaller train.learning_rate")
