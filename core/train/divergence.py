"""Where numbers first ran away: found only after they did, so a training that goes well pays nothing for it."""

from collections.abc import Iterable

import numpy as np

from core.errors import DivergenceError
from core.kernels.arrays import Array
from core.nn.sequential import Sequential
from core.train.diagnostics import kind_of, walk


def broken_forward(
    network: Sequential, batches: Iterable[Array], *, step: int, loss: float, rate: float, training: bool = True
) -> DivergenceError:
    """A loss is not finite: find what was so first, a weight, the input, or the output of a layer.

    Args:
        network: After the pass that gave the loss.
        batches: What was passed through it: each (N, *input_shape), tried again here, layer by layer.
        step: The step that gave the loss; of a validation loss, the last one before it.
        loss: What was found.
        rate: The learning rate of the last update.
        training: Whether it was the loss of a training batch, or of all validation batches.
    """
    seen = f"step {step}: the loss is {loss}" if training else f"after step {step}: the validation loss is {loss}"
    if broken_weights(network):
        return broken_update(network, step=step - training, rate=rate, seen=f"{seen}; ")
    broken: list[str] = []

    def visit(name: str, y: Array) -> None:
        if not np.isfinite(y).all():
            broken.append(name)

    for x in batches:
        rows = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
        if len(rows):
            return DivergenceError(
                f"{seen}, and the input itself is not finite: {len(rows)} of the batch's {len(x)} images, the first at "
                f"place {rows[0]}. Look at the data, and at how it is normalized"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            walk(network, x, visit, training=training)
        if broken:
            break
    where = f"the output of {_place(broken[0])} is the first that is not finite" if broken else "all outputs are finite"
    return _advice(f"{seen}; {where}", rate, network)


def broken_gradient(network: Sequential, *, step: int, rate: float) -> DivergenceError:
    """A gradient is not finite: find the layer where it was so first, on the way back from the last layer."""
    broken = [name for name, p in network.parameters.items() if not np.isfinite(p.grad).all()]
    return _advice(f"step {step}: the gradient of {_parameter(broken[-1])} is not finite", rate, network)


def broken_update(network: Sequential, *, step: int, rate: float, seen: str = "") -> DivergenceError:
    """A parameter or buffer is not finite after an update.

    Args:
        network: With at least one such.
        step: The update after which it was noticed. (An activation may hide what is infinite for some steps.)
        rate: Its learning rate.
        seen: How it was noticed.
    """
    found = _parameter(broken_weights(network)[0])
    return _advice(f"{seen}after the update of step {step}, {found} is not finite", rate, network)


def broken_weights(network: Sequential) -> list[str]:
    """Names of the parameters and buffers that are not finite, in the order in which they became so.

    Gradients run from the last layer to the first, and what is not finite spreads with them. Buffers are filled on the
    way forward.
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


def _advice(found: str, rate: float, network: Sequential) -> DivergenceError:
    size = {name: float(np.abs(p.value).max()) for name, p in network.parameters.items()}
    finite = {name: value for name, value in size.items() if np.isfinite(value)}
    largest = max(finite, key=finite.__getitem__, default=None)
    weight = f", the largest finite weight {finite[largest]:.2g} in {largest}" if largest else ""
    return DivergenceError(f"{found} (learning rate {rate:g}{weight}). Try a smaller train.learning_rate")
