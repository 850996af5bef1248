"""The same convolutions and pools in PyTorch: outputs, and the gradients of inputs and parameters."""

from typing import Any

import numpy as np
import pytest

from core.nn.conv import Conv2D
from core.nn.layer import Layer
from core.nn.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from tests.floats import assert_same_function

torch = pytest.importorskip("torch")

# With two threads, oneDNN in PyTorch 2.13 gives another weight gradient at each run where a 1×1 kernel in float32 has a
# stride; PyTorch's own loops do not.
torch.backends.mkldnn.enabled = False


def nchw(x: Any) -> Any:
    return x.permute(0, 3, 1, 2)


def nhwc(y: Any) -> Any:
    return y.permute(0, 2, 3, 1)


def framed(x: Any, layer: Any, value: float = 0.0) -> Any:
    """PyTorch pads both ends equally unless it gets the padding of each end."""
    ahead = layer.plan.ahead if isinstance(layer, Conv2D) else None
    rows, columns = layer.windows if ahead is None else (ahead.rows, ahead.columns)
    return torch.nn.functional.pad(x, (columns.before, columns.after, rows.before, rows.after), value=value)


def assert_agree(layer: Layer, y_torch: Any, x: Any, x_torch: Any, dy: Any, terms: int) -> None:
    y_torch.backward(torch.tensor(dy))
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    assert_same_function(y, y_torch.detach().numpy(), terms=terms)
    assert_same_function(dx, x_torch.grad.numpy(), terms=terms)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, [3, 1]])
@pytest.mark.parametrize("kernel", [1, 3, 4, [5, 2]])
@pytest.mark.parametrize(("shape", "channels"), [((12, 9, 1), 8), ((8, 12, 6), 3)])
def test_conv2d(dtype: Any, padding: str, stride: Any, kernel: Any, shape: Any, channels: int) -> None:
    rng = np.random.default_rng(0)
    layer = Conv2D(shape, channels=channels, kernel=kernel, stride=stride, padding=padding, rng=rng, dtype=dtype)
    layer.b.value[...] = rng.standard_normal(channels)
    x = rng.standard_normal((4, *shape)).astype(dtype)
    dy = rng.standard_normal((4, *layer.output_shape)).astype(dtype)

    x_torch = torch.tensor(x, requires_grad=True)
    w = torch.tensor(layer.W.value, requires_grad=True)
    b = torch.tensor(layer.b.value, requires_grad=True)
    out = torch.nn.functional.conv2d(framed(nchw(x_torch), layer), w.permute(3, 2, 0, 1).contiguous(), b, stride=stride)
    assert_agree(layer, nhwc(out), x, x_torch, dy, terms=4 * layer.W.value.size)
    terms = 4 * dy[..., 0].size
    assert_same_function(layer.W.grad, w.grad.numpy(), terms=terms)
    assert_same_function(layer.b.grad, b.grad.numpy(), terms=terms)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (2, 1), (3, 3), ([2, 3], [3, 1])])
def test_maxpool2d_with_ties(padding: str, kernel: Any, stride: Any) -> None:
    rng = np.random.default_rng(0)
    layer = MaxPool2D((9, 8, 3), kernel=kernel, stride=stride, padding=padding, dtype=np.float64)
    x = rng.integers(-2, 2, (4, 9, 8, 3)).astype(float)
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = torch.nn.functional.max_pool2d(framed(nchw(x_torch), layer, -np.inf), kernel, stride)
    assert_agree(layer, nhwc(y_torch), x, x_torch, rng.standard_normal((4, *layer.output_shape)), terms=30)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 0), (3, 1, 1), ([2, 3], [3, 1], 0)])
def test_avgpool2d_without_counting_its_padding(kernel: Any, stride: Any, padding: int) -> None:
    rng = np.random.default_rng(0)
    name = "same" if padding else "valid"
    layer = AvgPool2D((9, 8, 3), kernel=kernel, stride=stride, padding=name, dtype=np.float64)
    x = rng.standard_normal((4, 9, 8, 3))
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = torch.nn.functional.avg_pool2d(nchw(x_torch), kernel, stride, padding, count_include_pad=False)
    assert_agree(layer, nhwc(y_torch), x, x_torch, rng.standard_normal((4, *layer.output_shape)), terms=30)


def test_globalavgpool() -> None:
    rng = np.random.default_rng(0)
    layer, x = GlobalAvgPool((5, 6, 3), dtype=np.float64), rng.standard_normal((4, 5, 6, 3))
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = torch.nn.functional.adaptive_avg_pool2d(nchw(x_torch), 1)[:, :, 0, 0]
    assert_agree(layer, y_torch, x, x_torch, rng.standard_normal((4, 3)), terms=30)
