"""Each backward pass against finite differences of its forward pass, in float64.

Along a direction v, the slope of a function f at w is  ∇f(w) · v  ≈  (f(w + h v) − f(w − h v)) / 2h.  One random v
weighs every component of the gradient at once, however many there are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.kernels.arrays import Array
from core.nn.activation import LeakyReLU, ReLU
from core.nn.architectures import LAYERS, build
from core.nn.layer import Parameter
from core.nn.losses import MeanSquaredError, OpenSetCrossEntropy, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from tests.floats import assert_same_function

BATCH = 7
H = 1e-5
"""The error of the difference falls with h², its rounding error grows with 1/h: in float64 both are near 1e-10 here."""

TOLERANCE = 1e-6

# One line for a new layer: a name, the shape of one input, the layers. A batch norm follows an activation here: right
# after a dense layer it would make the slope along the bias exactly 0, of which no relative error can be taken.
CASES: dict[str, tuple[tuple[int, ...], list[dict[str, Any]]]] = {
    "dense": ((5,), [{"kind": "dense", "units": 4}]),
    "dense, one unit": ((3,), [{"kind": "dense", "units": 1}]),
    "relu": ((6,), [{"kind": "relu"}]),
    "relu of pictures": ((2, 3, 3), [{"kind": "relu"}]),
    "conv2d": ((6, 5, 2), [{"kind": "conv2d", "channels": 3, "kernel": 3}]),
    "conv2d, framed": ((6, 5, 2), [{"kind": "conv2d", "channels": 3, "kernel": [3, 2], "padding": "same"}]),
    "conv2d in strides": ((6, 5, 2), [{"kind": "conv2d", "channels": 3, "kernel": 3, "stride": [2, 1]}]),
    "maxpool2d": ((6, 4, 2), [{"kind": "maxpool2d"}]),
    "maxpool2d, overlapping": ((5, 5, 2), [{"kind": "maxpool2d", "kernel": 3, "stride": 1, "padding": "same"}]),
    "avgpool2d": ((6, 4, 2), [{"kind": "avgpool2d"}]),
    "avgpool2d, overlapping": ((5, 5, 2), [{"kind": "avgpool2d", "kernel": 3, "stride": 2, "padding": "same"}]),
    "globalavgpool": ((3, 4, 2), [{"kind": "globalavgpool"}]),
    "leaky relu": ((6,), [{"kind": "leaky_relu", "slope": 0.2}]),
    "sigmoid": ((6,), [{"kind": "sigmoid"}]),
    "tanh": ((6,), [{"kind": "tanh"}]),
    "gelu": ((6,), [{"kind": "gelu"}]),
    "silu of pictures": ((2, 3, 3), [{"kind": "silu"}]),
    "softmax": ((6,), [{"kind": "softmax"}]),
    "softmax of pictures": ((2, 3, 4), [{"kind": "softmax"}]),
    "batch norm of rows": ((6,), [{"kind": "batch_norm"}]),
    "batch norm of pictures": ((2, 3, 4), [{"kind": "batch_norm", "eps": 0.1}]),
    "dropout": ((6,), [{"kind": "dropout", "rate": 0.4}]),
    "flatten": ((2, 3, 4), [{"kind": "flatten"}]),
    "residual": ((6,), [{"kind": "residual", "layers": [{"kind": "dense", "units": 6}, {"kind": "tanh"}]}]),
    "residual with a shortcut": (
        (6,),
        [
            {
                "kind": "residual",
                "layers": [{"kind": "dense", "units": 5}, {"kind": "silu"}, {"kind": "batch_norm"}],
                "shortcut": [{"kind": "dense", "units": 5}],
            }
        ],
    ),
    "a residual in a residual": (
        (6,),
        [
            {"kind": "residual", "layers": [{"kind": "residual", "layers": [{"kind": "dense", "units": 6}]}]},
            {"kind": "residual", "layers": [{"kind": "dropout", "rate": 0.3}]},
        ],
    ),
    "ensemble": (
        (6,),
        [
            {
                "kind": "ensemble",
                "members": [
                    [{"kind": "dense", "units": 5}, {"kind": "tanh"}, {"kind": "dense", "units": 4}],
                    [{"kind": "dense", "units": 4}],
                    [{"kind": "batch_norm"}, {"kind": "dropout", "rate": 0.3}, {"kind": "dense", "units": 4}],
                ],
            }
        ],
    ),
    "ensemble of pictures": (
        (4, 3, 2),
        [
            {"kind": "ensemble", "members": [[{"kind": "conv2d", "channels": 3, "kernel": 2}]] * 2},
            {"kind": "globalavgpool"},
        ],
    ),
    "two layers": ((6,), [{"kind": "dense", "units": 8}, {"kind": "relu"}, {"kind": "dense", "units": 4}]),
    "normalized": (
        (2, 3, 4),
        [
            *[{"kind": "flatten"}, {"kind": "dense", "units": 8}, {"kind": "gelu"}, {"kind": "batch_norm"}],
            {"kind": "residual", "layers": [{"kind": "dense", "units": 8}, {"kind": "tanh"}]},
            *[{"kind": "dropout", "rate": 0.2}, {"kind": "dense", "units": 4}],
        ],
    ),
    "four layers": (
        (6,),
        [
            *[{"kind": "dense", "units": 9}, {"kind": "relu"}],
            *[{"kind": "dense", "units": 8}, {"kind": "relu"}],
            *[{"kind": "dense", "units": 7}, {"kind": "relu"}],
            {"kind": "dense", "units": 4},
        ],
    ),
}

CLASSIFIERS = ["dense", "two layers", "normalized", "ensemble", "four layers"]


def assert_slopes_match(
    f: Callable[[NDArray[np.float64]], float], point: Array, gradient: Array, rng: np.random.Generator
) -> None:
    for _ in range(3):
        v = rng.standard_normal(point.shape)
        numeric = (f(point + H * v) - f(point - H * v)) / (2 * H)
        analytic = float(np.sum(gradient * v))
        assert abs(numeric - analytic) < TOLERANCE * max(abs(numeric), abs(analytic))


class Probe:
    """A network whose output is weighed into one number, as a function of its parameters and of its input.

    Each evaluation builds the network anew from one seed, so a layer that draws random numbers draws the same ones.
    """

    def __init__(self, name: str, *, classify: bool, rng: np.random.Generator) -> None:
        self.shape, self.layers = CASES[name]
        # Off zero, because a difference across the kink of a ReLU is not a slope.
        self.x = rng.choice([-1.0, 1.0], (BATCH, *self.shape)) * rng.uniform(0.5, 1.5, (BATCH, *self.shape))
        network = self.network()
        self.w = network.vector.value + 0.1 * rng.standard_normal(network.vector.value.shape)
        self.assert_away_from_kinks()
        self.mix = rng.standard_normal((BATCH, *network.output_shape))
        self.labels = rng.integers(0, network.output_shape[0], BATCH) if classify else None

    def assert_away_from_kinks(self) -> None:
        y: Array = self.x
        for layer in self.network(self.w).layers:
            if isinstance(layer, ReLU | LeakyReLU):
                assert np.abs(y).min() > 10 * H, "too near the kink of a ReLU: choose another seed"
            y = layer.forward(y, training=True)

    def network(self, w: Array | None = None) -> Sequential:
        network = build(self.shape, self.layers, rng=np.random.default_rng(1), dtype=np.float64)
        if w is not None:
            network.vector.value[...] = w
        return network

    def value(self, w: Array, x: Array) -> float:
        y = self.network(w).forward(x, training=True)
        return float(np.sum(self.mix * y)) if self.labels is None else SoftmaxCrossEntropy().forward(y, self.labels)

    def gradients(self) -> tuple[Sequential, Array]:
        network, loss = self.network(self.w), SoftmaxCrossEntropy()
        y = network.forward(self.x, training=True)
        if self.labels is None:
            dy: Array = self.mix
        else:
            loss.forward(y, self.labels)
            dy = loss.backward()
        dx = network.backward(dy, need_dx=True)
        assert dx is not None
        return network, dx


def check(probe: Probe, rng: np.random.Generator) -> None:
    network, dx = probe.gradients()
    assert_slopes_match(lambda x: probe.value(probe.w, x), probe.x, dx, rng)
    start = 0
    for parameter in network.parameters.values():  # each alone, so that a large one cannot hide a small one
        stretch = slice(start, start + parameter.value.size)
        start = stretch.stop

        def along(values: Array, stretch: slice = stretch) -> float:
            w = probe.w.copy()
            w[stretch] = values
            return probe.value(w, probe.x)

        assert_slopes_match(along, probe.w[stretch], parameter.grad.ravel(), rng)
    if start:
        assert_slopes_match(lambda w: probe.value(w, probe.x), probe.w, network.vector.grad, rng)


@pytest.mark.parametrize("name", CASES)
def test_a_layers_backward_pass_is_the_slope_of_its_forward_pass(name: str) -> None:
    rng = np.random.default_rng(7)
    check(Probe(name, classify=False, rng=rng), rng)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_backpropagation_gives_the_slope_of_a_whole_network_with_its_loss(name: str) -> None:
    rng = np.random.default_rng(10)
    check(Probe(name, classify=True, rng=rng), rng)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_cross_entropys_gradient_is_its_slope_in_the_logits(scale: float, smoothing: float) -> None:
    rng = np.random.default_rng(9)
    logits, labels = scale * rng.standard_normal((BATCH, 10)), rng.integers(0, 10, BATCH)
    loss = SoftmaxCrossEntropy(label_smoothing=smoothing)
    loss.forward(logits, labels)
    assert_slopes_match(lambda z: loss.forward(z, labels), logits, loss.backward().copy(), rng)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
def test_open_set_cross_entropys_gradient_is_its_slope_in_the_logits(scale: float, smoothing: float) -> None:
    rng = np.random.default_rng(9)
    logits, labels = scale * rng.standard_normal((BATCH, 10)), np.array([10, 0, 10, 3, 9, 10, 5])
    loss = OpenSetCrossEntropy(label_smoothing=smoothing)
    loss.forward(logits, labels)
    assert_slopes_match(lambda z: loss.forward(z, labels), logits, loss.backward().copy(), rng)


@pytest.mark.parametrize("form", ["class indices", "rows", "pictures"])
def test_the_squared_errors_gradient_is_its_slope_in_the_outputs(form: str) -> None:
    rng = np.random.default_rng(9)
    shape = (BATCH, 4, 3) if form == "pictures" else (BATCH, 10)
    targets = rng.integers(0, 10, BATCH) if form == "class indices" else rng.standard_normal(shape)
    outputs, loss = rng.standard_normal(shape), MeanSquaredError()
    loss.forward(outputs, targets)
    assert_slopes_match(lambda y: loss.forward(y, targets), outputs, loss.backward().copy(), rng)


@pytest.mark.parametrize("name", CASES)
def test_a_frozen_networks_backward_pass_is_the_slope_of_the_network_in_use(name: str) -> None:
    rng = np.random.default_rng(7)
    probe = Probe(name, classify=False, rng=rng)
    used = probe.network(probe.w)
    used.forward(3 + 2 * rng.standard_normal((50, *probe.shape)), training=True)  # moves the running averages
    frozen = used.with_own_gradients()
    frozen.freeze()
    assert_same_function(frozen.forward(probe.x, training=True), used.forward(probe.x), terms=256)
    dx = frozen.backward(probe.mix, need_dx=True)
    assert dx is not None
    assert_slopes_match(lambda x: float(np.sum(probe.mix * used.forward(x))), probe.x, dx, rng)
    for parameter, moved in zip(frozen.parameters.values(), used.parameters.values(), strict=True):
        start = moved.value.copy()

        def along(values: Array, moved: Parameter = moved, start: Array = start) -> float:
            moved.value[...] = values
            found = float(np.sum(probe.mix * used.forward(probe.x)))
            moved.value[...] = start
            return found

        assert_slopes_match(along, start, parameter.grad, rng)


def test_freezing_a_copy_leaves_the_original_and_its_running_averages_alone() -> None:
    layers = [{"kind": "dense", "units": 4}, {"kind": "batch_norm"}, {"kind": "dropout", "rate": 0.5}]
    network = build((3,), layers, rng=np.random.default_rng(0))
    before = network.state()
    copy = network.with_own_gradients()
    copy.freeze()
    x = np.ones((2, 3), np.float32)
    copy.forward(x, training=True)
    for name, array in network.state().items():
        np.testing.assert_array_equal(array, before[name])
    network.forward(x, training=True)
    assert not np.array_equal(network.state()["1.batch_norm.running_mean"], before["1.batch_norm.running_mean"])


def test_every_layer_that_a_recipe_can_name_is_checked() -> None:
    checked = {layer["kind"] for _, layers in CASES.values() for layer in layers}
    assert checked == set(LAYERS), "add a line to CASES"


def test_the_check_catches_a_backward_pass_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = ReLU.backward

    def slightly_wrong(self: ReLU, dy: Array, *, need_dx: bool = True) -> Array | None:
        dx = right(self, dy, need_dx=need_dx)
        return None if dx is None else dx * 1.00001

    monkeypatch.setattr(ReLU, "backward", slightly_wrong)
    rng = np.random.default_rng(7)
    with pytest.raises(AssertionError):
        check(Probe("two layers", classify=True, rng=rng), rng)


def test_at_its_kink_relu_passes_no_gradient() -> None:
    relu = ReLU((3,), dtype=np.float64)
    relu.forward(np.array([[-1.0, 0.0, 1.0]]), training=True)
    dx = relu.backward(np.array([[5.0, 5.0, 5.0]]))
    assert dx is not None
    assert dx.tolist() == [[0.0, 0.0, 5.0]]
