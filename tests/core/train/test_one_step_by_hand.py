"""One step of training, worked by hand."""

from math import log

import numpy as np
import pytest

from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD
from tests.floats import by_hand

X = np.array([[1.0, 2.0]])
LABELS = np.array([0])


def tiny_network() -> Sequential:
    """Two inputs, two hidden units, two classes; all parameters can be reckoned with in the head."""
    layers = [{"kind": "dense", "units": 2}, {"kind": "relu"}, {"kind": "dense", "units": 2}]
    network = build((2,), layers, rng=np.random.default_rng(0), dtype=np.float64)
    network.load_state(
        {
            "0.dense.W": np.array([[1, -1], [0.5, 0.25]]),
            "0.dense.b": np.array([0.0, 0.0]),
            "2.dense.W": np.array([[0.5, -0.5], [3, 4]]),
            "2.dense.b": np.array([0, 2 + log(3)]),
        }
    )
    return network


# Forward, for the one image x = (1, 2):
#
#   first dense    1·1 + 2·0.5 = 2   and   1·(−1) + 2·0.25 = −0.5             (2, −0.5)
#   relu           the second unit is silent                                    (2, 0)
#   second dense   2·0.5 + 0 = 1     and   2·(−0.5) + 2 + log 3 = 1 + log 3     z = (1, 1 + log 3)
#   softmax        e : 3e = 1 : 3                                               p = (1/4, 3/4)
#   loss           the true class is 0: −log 1/4                                L = log 4
#
# Backward:
#
#   dz = p − onehot                  = (−3/4, 3/4)
#   second dense   dW = (2, 0)ᵀ dz   = ((−1.5, 1.5), (0, 0))         db = dz
#                  dx = dz Wᵀ        = (−3/4·0.5 − 3/4·0.5, −3/4·3 + 3/4·4) = (−0.75, 0.75)
#   relu           the silent unit passes nothing                     (−0.75, 0)
#   first dense    dW = (1, 2)ᵀ (−0.75, 0) = ((−0.75, 0), (−1.5, 0))  db = (−0.75, 0)
#                  dx = (−0.75, 0) Wᵀ      = (−0.75·1, −0.75·0.5)     = (−0.75, −0.375)
GRADIENTS = {
    "0.dense.W": [[-0.75, 0], [-1.5, 0]],
    "0.dense.b": [-0.75, 0],
    "2.dense.W": [[-1.5, 1.5], [0, 0]],
    "2.dense.b": [-0.75, 0.75],
}

# Step, with learning rate 0.1: each parameter less a tenth of its gradient.
AFTER = {
    "0.dense.W": [[1.075, -1], [0.65, 0.25]],
    "0.dense.b": [0.075, 0],
    "2.dense.W": [[0.65, -0.65], [3, 4]],
    "2.dense.b": [0.075, 2 + log(3) - 0.075],
}

# With weight decay 0.2 too, each parameter is first multiplied by 1 − 0.1·0.2 = 0.98.
AFTER_WITH_DECAY = {
    "0.dense.W": [[0.98 + 0.075, -0.98], [0.49 + 0.15, 0.245]],
    "0.dense.b": [0.075, 0],
    "2.dense.W": [[0.49 + 0.15, -0.49 - 0.15], [2.94, 3.92]],
    "2.dense.b": [0.075, 0.98 * (2 + log(3)) - 0.075],
}


@pytest.mark.parametrize(("weight_decay", "after"), [(0.0, AFTER), (0.2, AFTER_WITH_DECAY)])
def test_one_step_of_sgd_is_what_was_worked_by_hand(weight_decay: float, after: dict[str, list[float]]) -> None:
    network, loss = tiny_network(), SoftmaxCrossEntropy()

    logits = network.forward(X, training=True)
    assert logits == by_hand([[1, 1 + log(3)]])
    assert loss.forward(logits, LABELS) == by_hand(log(4))

    dx = network.backward(loss.backward(), need_dx=True)
    assert dx == by_hand([[-0.75, -0.375]])
    for name, parameter in network.parameters.items():
        assert parameter.grad == by_hand(GRADIENTS[name]), name

    SGD(weight_decay=weight_decay).step(network.vector, 0.1)
    for name, value in network.state().items():
        assert value == by_hand(after[name]), name
