"""Clocks around the calls of a training step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import Any

import numpy as np

from core.nn.losses import SoftmaxCrossEntropy
from core.optim.optimizers import Optimizer

__all__ = ["Clocks"]


class Clocks:
    """Adds up the seconds that are spent within each kind of call; a call within another one counts for itself alone.

    Attributes:
        seconds: By the name of the kind.
        products: How many multiplications and additions each kind of matrix product has made.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.products: dict[str, float] = {}
        self._inner = [0.0]  # seconds of the calls within each call that is under way, the outermost first

    def add(self, name: str, seconds: float, flops: float = 0.0) -> None:
        """Count a call."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        if flops:
            self.products[name] = self.products.get(name, 0.0) + flops

    def around(self, function: Callable[..., Any], name: Callable[..., tuple[str, float]]) -> Callable[..., Any]:
        """The same function, with a clock.

        Args:
            function: What is called.
            name: From its arguments to the kind of the call, and to the operations of a product.
        """

        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            self._inner.append(0.0)
            started = perf_counter()
            result = function(*arguments, **options)
            seconds = perf_counter() - started
            within = self._inner.pop()
            self._inner[-1] += seconds
            kind, flops = name(*arguments, **options)
            self.add(kind, seconds - within, flops)
            return result

        return timed

    @contextmanager
    def on(self, layers: Iterator[tuple[str, Any]]) -> Iterator[None]:
        """Clocks around everything that a step calls, while the block lasts.

        Args:
            layers: The layers of the network, by name.
        """
        patched = [
            (np, "take", lambda *_, **__: ("gather the batch", 0.0)),
            (np, "matmul", _product),
            *((SoftmaxCrossEntropy, call, lambda *_, **__: ("softmax cross-entropy", 0.0)) for call in _BOTH),
            (Optimizer, "step", lambda *_, **__: ("update", 0.0)),
            *(
                (layer, call, lambda *_, kind=layer.kind, **__: (f"rest of {kind}", 0.0))
                for _, layer in layers
                for call in _BOTH
            ),
        ]
        whole = [(owner, name, getattr(owner, name)) for owner, name, _ in patched]
        for owner, name, kind in patched:
            setattr(owner, name, self.around(getattr(owner, name), kind))
        try:
            yield
        finally:
            for owner, name, function in whole:
                setattr(owner, name, function)


_BOTH = ("forward", "backward")


def _product(a: Any, b: Any, **_: Any) -> tuple[str, float]:
    """`128 × 784 × 128`: rows, length of the sums, columns; and how many additions and multiplications."""
    if a.ndim == 1:
        return "sums of columns", 0.0
    rows, length, columns = a.size // a.shape[-1], a.shape[-1], b.shape[-1]
    return f"product {rows} × {length} × {columns}", 2.0 * rows * length * columns
