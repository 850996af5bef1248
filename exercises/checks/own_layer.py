"""17: a layer of the learner's own: whether its slope is that of its function."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.nn.activation import Activation
from core.nn.architectures import LAYERS
from exercises.compare import difference, relative_error
from exercises.function_check import NUMERICAL, require_untouched
from exercises.learners_file import call
from exercises.numerical import gradient
from exercises.verdict import Output, WrongError

__all__ = ["NAME", "slopes"]

Array = NDArray[Any]

NAME = "OwnLayer"


def slopes(names: Mapping[str, Any]) -> None:
    """Compare the layer's backward pass with the numerical gradient of its own forward pass.

    Raises:
        WrongError: They differ; or the function is a straight line, or no layer.
    """
    kind = _class(names)
    rng = np.random.default_rng(17)
    x, dy = rng.normal(size=(8, 6)) * 2, rng.normal(size=(8, 6))
    y = _forward(kind, x)
    if np.abs(np.diff(_forward(kind, np.linspace(-5, 5, 101)[np.newaxis]), n=2)).max() < 1e-9:  # second differences
        raise _wrong(
            "forward",
            "y",
            "Your f is a straight line: then two dense layers with it in between are no more than one. Bend it.",
            "straight line",
        )
    layer = kind(x.shape[1:], dtype=np.float64)
    layer.forward(x.copy(), training=True)
    given = dy.copy()
    dx = call("backward", layer.backward, {"dy": given})
    require_untouched("backward", {"dy": dy}, {"dy": given})
    if not isinstance(dx, np.ndarray):
        raise _wrong(
            "backward",
            "dx",
            _no_array("dx", dx),
        )
    right = gradient(lambda x: _forward(kind, x), x, dy)
    if dx.shape == right.shape and relative_error(dx, right) <= 1e-6:
        _single_precision(kind, x, dy)
        return
    error = relative_error(dx, right) if dx.shape == right.shape else None
    slope = gradient(lambda x: _forward(kind, x), x, np.ones_like(x))
    sentence, slip = difference("dx", dx, right, NUMERICAL, {}, 1e-6), ""
    if dx.shape == right.shape and relative_error(dx, slope) <= 1e-6:
        sentence, slip = "Your dx is the slope f′(x) alone: the chain rule multiplies it by dy.", "slope alone"
    elif dx.shape == right.shape and relative_error(dx, dy) <= 1e-6:
        sentence, slip = "Your dx is dy: the slope f′(x) is missing.", "no slope"
    elif dx.shape == right.shape and relative_error(dx, dy * y) <= 1e-6:
        sentence, slip = "Your dx is dy · f(x): it is dy times the slope, f′(x).", "f for its slope"
    raise _wrong("backward", "dx", sentence, slip, [Output("dx", right=False, error=error)])


def _class(names: Mapping[str, Any]) -> type[Activation]:
    kind = names.get(NAME)
    if not isinstance(kind, type) or not issubclass(kind, Activation):
        raise WrongError(f"The file is to define a class {NAME}, derived from Activation.")
    if not isinstance(kind.kind, str) or not kind.kind.isidentifier() or kind.kind in LAYERS:
        taken = f"kind is {kind.kind!r}, expected a name of its own; taken are {', '.join(LAYERS)}."
        raise _wrong(NAME, "kind", taken, "kind")
    return kind


def _forward(kind: type[Activation], x: Array) -> Array:
    """What a new layer makes of x: no call knows of an earlier one."""
    given = x.copy()
    y = call("forward", kind(x.shape[1:], dtype=x.dtype).forward, {"x": given})
    require_untouched("forward", {"x": x}, {"x": given})
    if not isinstance(y, np.ndarray):
        raise _wrong(
            "forward",
            "y",
            _no_array("y", y),
        )
    if y.shape != x.shape:
        raise _wrong("forward", "y", f"Your y has the shape {y.shape}, expected that of x, {x.shape}.")
    if not np.isfinite(y).all():
        raise _wrong("forward", "y", "Your y is not finite for x between −5 and 5, or about that.")
    return y


def _single_precision(kind: type[Activation], x: Array, dy: Array) -> None:
    single = x.astype(np.float32)
    layer = kind(x.shape[1:], dtype=np.float32)
    y = layer.forward(single, training=True)
    dx = layer.backward(dy.astype(np.float32))
    for function, name, array in (("forward", "y", y), ("backward", "dx", dx)):
        if array is None or array.dtype != np.float32:
            raise _wrong(
                function,
                name,
                f"For x in float32, your {name} is {None if array is None else array.dtype}: networks are trained in "
                "float32.",
                "dtype",
            )


def _no_array(name: str, value: Any) -> str:
    kind = "None: is a `return` missing?" if value is None else f"a {type(value).__name__}, expected an array."
    return f"Your {name} is {kind}"


def _wrong(function: str, output: str, sentence: str, slip: str = "", outputs: Any = ()) -> WrongError:
    return WrongError(sentence, function=function, output=output, outputs=outputs, slips=[slip] if slip else [])
