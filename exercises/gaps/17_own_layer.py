"""The finale: a layer of your own, trained by the real pipeline and served by the real service.

Choose an activation f that acts on each number by itself, derive f′, and write both. It need not be in any paper; it
must not be a straight line, and the slope must be that of f. One to begin with is Mish (Misra 2019), with
s(x) = log(1 + eˣ):

    y = x tanh(s)        y′ = tanh(s) + x (1 − tanh²(s)) s′        s′ = eˣ / (1 + eˣ) = exp(x − s)

`forward` keeps what `backward` needs if `training` is true. `kind` is the name by which recipes know the layer.

The check compares slopes. Then it does, in a temporary copy of this project, what CONTRIBUTING.md asks of a new layer
(the file is put into core/nn/, the class named in `LAYERS`). In that copy it trains a network 784-64-10 with your layer
for an epoch, publishes it, has the service load the published version, and asks it to read examples/seven.png.

In core: core/nn/activation.py has seven of them; core/nn/layer.py says what every layer is.
"""

from typing import ClassVar

import numpy as np

from core.nn.activation import Activation


class OwnLayer(Activation):
    """y = f(x), number by number."""

    kind: ClassVar[str] = "own"

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """y = f(x), in the shape and the dtype of x."""
        raise NotImplementedError  # your code

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        """dx = dy · f′(x), for the x of the last forward pass."""
        raise NotImplementedError  # your code
