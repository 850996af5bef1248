import inspect

import numpy as np
import pytest

from core.nn.architectures import LAYERS
from core.nn.chain import Chain
from core.nn.layer import Layer, Parameter
from core.nn.sequential import Sequential


def test_a_parameter_starts_with_a_zero_gradient_like_itself() -> None:
    parameter = Parameter(np.ones((2, 3), np.float32))
    assert parameter.grad.shape == (2, 3)
    assert parameter.grad.dtype == np.float32
    assert not parameter.grad.any()


@pytest.mark.parametrize("layer", [Layer, Chain, Sequential, *LAYERS.values()])
def test_every_layer_computes_dx_by_default(layer: type[Layer]) -> None:
    assert inspect.signature(layer.backward).parameters["need_dx"].default is True
