"""Our weights in the layout of PyTorch and ONNX, where channels come before rows and columns."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.nn.conv import Conv2D
from core.nn.dense import Dense
from core.nn.flatten import Flatten
from core.nn.layer import Layer
from core.nn.sequential import Sequential


def channels_first(network: Sequential) -> Iterator[tuple[Layer, dict[str, NDArray[Any]]]]:
    """Each layer with copies of its parameters: kernels (kh, kw, C, O) become (O, C, kh, kw).

    A flatten layer then outputs (C, H, W) instead of (H, W, C), so the rows of the dense layer after it are permuted.
    """
    flattened: tuple[int, ...] | None = None
    for layer in network.layers:
        arrays = {name: parameter.value.copy() for name, parameter in layer.parameters.items()}
        if isinstance(layer, Flatten):
            flattened = layer.input_shape
        elif isinstance(layer, Conv2D):
            arrays["W"] = np.ascontiguousarray(arrays["W"].transpose(3, 2, 0, 1))
        elif isinstance(layer, Dense) and flattened is not None:
            rows = arrays["W"].reshape(*flattened, -1).transpose(2, 0, 1, 3)  # (C, H, W, units)
            arrays["W"], flattened = rows.reshape(layer.input_shape[0], -1), None
        yield layer, arrays
