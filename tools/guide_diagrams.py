"""Drawings of the guide, each from the real objects: shapes from built networks, numbers from core.plain."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from guide_canvas import BLUE, INK, LINE, ORANGE, QUIET, arrow, box, canvas, write
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from core import plain
from core.kernels.bands import Bands
from core.kernels.window import Window
from core.nn.architectures import build
from core.nn.sequential import Sequential

ROOT = Path(__file__).resolve().parent.parent


def network_of(recipe: str) -> Sequential:
    """The network of a shipped recipe, untrained."""
    model = tomllib.loads((ROOT / "recipes" / f"{recipe}.toml").read_text("utf-8"))["model"]
    return build(model["input_shape"], model["layers"], rng=np.random.default_rng(0))


def circle(
    axes: Axes, at: tuple[float, float], radius: float, text: str = "", color: str = INK, size: float = 9
) -> None:
    """A unit, with text in it."""
    axes.add_patch(Circle(at, radius, facecolor="white", edgecolor=color, linewidth=1.2, zorder=3))
    axes.text(*at, text, color=color, fontsize=size, ha="center", va="center", zorder=4)


def minus(number: str) -> str:
    """With a minus sign as it is printed."""
    return number.replace("-", "−")


def draw_network() -> Figure:
    """784-128-10: a few units of each layer, and the shapes of all arrays."""
    network = network_of("mlp")
    first, relu, last = network.layers
    figure, axes = canvas(7.4, 3.6)
    columns = {
        1.0: ("inputs", f"x  (N, {first.input_shape[0]})", 6, 0.11),
        3.7: ("hidden units, ReLU", f"h  (N, {relu.output_shape[0]})", 5, 0.13),
        6.4: ("outputs: logits", f"z  (N, {last.output_shape[0]})", 10, 0.1),
    }
    heights = {x: np.linspace(3.0, 1.15, count) for x, (*_, count, _) in columns.items()}
    for left, right in ((1.0, 3.7), (3.7, 6.4)):
        for a in heights[left]:
            for b in heights[right]:
                axes.plot([left, right], [a, b], color=LINE, linewidth=0.5, zorder=1)
    for x, (title, shape, count, radius) in columns.items():
        for place, height in enumerate(heights[x]):
            hidden = count < 10 and place == count - 2  # where units are left out
            if hidden:
                write(axes, (x, height), "⋮", size=15)
            else:
                circle(axes, (x, height), radius, str(place) if count == 10 else "", size=7)
        write(axes, (x, 3.37), title)
        write(axes, (x, 0.8), shape, BLUE)
    for x, layer in ((2.35, first), (5.05, last)):
        write(axes, (x, 0.8), f"W  {layer.parameters['W'].value.shape}", ORANGE)
        write(axes, (x, 0.55), f"b  {layer.parameters['b'].value.shape}", ORANGE)
        count = sum(p.value.size for p in layer.parameters.values())
        write(axes, (x, 0.25), f"{count:,} parameters", QUIET, 9)
    return figure


def draw_layer() -> Figure:
    """One layer: what goes in and out, forward and backward."""
    figure, axes = canvas(6.4, 2.6)
    box(axes, (3.2, 1.45), (2.2, 1.5), "")
    write(axes, (3.2, 1.95), "forward:  y = f(x; W, b)", BLUE, 9.5)
    write(axes, (3.2, 1.45), "keeps x;  has W, b", QUIET, 9)
    write(axes, (3.2, 0.95), "backward:  dW, db, dx", ORANGE, 9.5)
    for start, end, color in (((0.9, 1.95), (2.1, 1.95), BLUE), ((4.3, 1.95), (5.5, 1.95), BLUE)):
        arrow(axes, start, end, color)
    for start, end, color in (((2.1, 0.95), (0.9, 0.95), ORANGE), ((5.5, 0.95), (4.3, 0.95), ORANGE)):
        arrow(axes, start, end, color)
    write(axes, (0.55, 1.95), "x", BLUE, 12)
    write(axes, (5.85, 1.95), "y", BLUE, 12)
    write(axes, (0.5, 0.95), "dx", ORANGE, 12)
    write(axes, (5.9, 0.95), "dy", ORANGE, 12)
    write(axes, (0.95, 2.35), "from the layer before", QUIET, 8.5)
    write(axes, (5.45, 2.35), "to the layer after", QUIET, 8.5)
    write(axes, (0.95, 0.55), "to the layer before", QUIET, 8.5)
    write(axes, (5.45, 0.55), "from the layer after", QUIET, 8.5)
    write(axes, (3.2, 0.25), "dy, dx, dW, db: ∂L/∂y, ∂L/∂x, ∂L/∂W, ∂L/∂b", QUIET, 8.5)
    return figure


def draw_by_hand() -> Figure:
    """The network that the page works by hand, with the values and the gradients of the first example."""
    x, labels = np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([0, 1])
    W1, b1 = np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]]), np.array([0.0, 0.5, 0.0])
    W2, b2 = np.array([[1.0, 0.5], [-1.0, 1.0], [0.5, 1.0]]), np.zeros(2)
    a = plain.dense(x, W1, b1)
    h = plain.relu(a)
    z = plain.dense(h, W2, b2)
    _, dz = plain.softmax_cross_entropy(z, labels)
    dh, _ = plain.dense_backward(h, dz, W2, b2)
    da, _ = plain.relu_backward(a, dh)
    figure, axes = canvas(7.4, 3.9)
    layers = ((0.9, x[0], None), (3.6, h[0], da[0]), (6.3, z[0], dz[0]))
    spots = [[(at, y) for y in np.linspace(3.0, 0.75, len(values))] for at, values, _ in layers]
    spots[0], spots[2] = [[(row[0][0], y) for y in (2.5, 1.25)] for row in (spots[0], spots[2])]
    for W, left, right in ((W1, spots[0], spots[1]), (W2, spots[1], spots[2])):
        for i, j in np.ndindex(W.shape):
            (x0, y0), (x1, y1) = left[i], right[j]
            axes.plot([x0, x1], [y0, y1], color=LINE, linewidth=1, zorder=1)
            share = 0.27 if (i + j) % 2 else 0.36
            place = (x0 + share * (x1 - x0), y0 + share * (y1 - y0))
            axes.text(*place, minus(f"{W[i, j]:g}"), fontsize=8, color=QUIET, ha="center", va="center", zorder=2,
                      bbox={"facecolor": "#fdfcf8", "edgecolor": "none", "pad": 1})  # fmt: skip
    for row, (_, values, gradients) in zip(spots, layers, strict=True):
        for number, (at, value) in enumerate(zip(row, values, strict=True)):
            circle(axes, at, 0.27, f"{value:g}", BLUE, 11)
            if gradients is not None:
                write(axes, (at[0], at[1] - 0.4), minus(f"{gradients[number]:.4f}"), ORANGE, 9)
    for at, text in ((0.9, "x"), (3.6, "h = max(a, 0),  and da"), (6.3, "z,  and dz")):
        write(axes, (at, 3.6), text)
    return figure


def draw_batch_norm() -> Figure:
    """The computational graph of batch norm for one feature: above the formulas, below the gradients."""
    figure, axes = canvas(8.2, 3.5)
    nodes = {
        "x": (0.6, 1.9, "xᵢ", "dxᵢ = dcᵢ − (1/M) Σ dcⱼ"),
        "mean": (1.9, 2.75, "μ = (1/M) Σ xᵢ", ""),
        "c": (3.3, 1.9, "cᵢ = xᵢ − μ", "dcᵢ = dx̂ᵢ/σ + dσ x̂ᵢ/M"),
        "sigma": (4.7, 2.75, "σ = √((1/M) Σ cᵢ² + ε)", "dσ = −(γ/σ) dγ"),
        "normal": (6.0, 1.9, "x̂ᵢ = cᵢ/σ", "dx̂ᵢ = γ dyᵢ"),
        "y": (7.55, 1.9, "yᵢ = γ x̂ᵢ + β", "dyᵢ"),
    }
    widths = {"x": 0.5, "mean": 1.25, "c": 1.05, "sigma": 1.8, "normal": 0.95, "y": 1.15}
    for name, (x, y, formula, gradient) in nodes.items():
        box(axes, (x, y), (widths[name], 0.4), formula, BLUE)
        if gradient:
            above = name == "sigma"
            write(axes, (x + (0.25 if name == "x" else 0), y + 0.36 if above else y - 0.38), gradient, ORANGE, 8.5)
    links = ("x mean", "mean c", "x c", "c sigma", "sigma normal", "c normal", "normal y")
    for start, end in (link.split() for link in links):
        (x0, y0, *_), (x1, y1, *_) = nodes[start], nodes[end]
        if y0 == y1:
            arrow(axes, (x0 + widths[start] / 2, y0), (x1 - widths[end] / 2, y1))
        elif y1 > y0:
            arrow(axes, (x0 + widths[start] / 4, y0 + 0.2), (x1 - widths[end] / 4, y1 - 0.2))
        else:
            arrow(axes, (x0 + widths[start] / 4, y0 - 0.2), (x1 - widths[end] / 4, y1 + 0.2))
    write(axes, (7.55, 2.6), "dγ = Σ dyᵢ x̂ᵢ", ORANGE, 8.5)
    write(axes, (7.55, 2.35), "dβ = Σ dyᵢ", ORANGE, 8.5)
    write(
        axes,
        (4.1, 0.95),
        "the gradients walk along the same arrows, from the right to the left; where two arrows leave a node,",
        QUIET,
        9,
    )
    write(axes, (4.1, 0.7), "its gradient is the sum of both.  Together:", QUIET, 9)
    write(axes, (4.1, 0.3), "dxᵢ = (γ/σ) (dyᵢ − dβ/M − x̂ᵢ dγ/M)", ORANGE, 11)
    return figure


def draw_bands() -> Figure:
    """Six pixels times the band matrix of the kernel 1, 2, 3."""
    bands = Bands(rows=Window.valid(1, 1, 1), columns=Window.valid(6, 3, 1), inputs=1, outputs=1, tile=4, bias=False)
    band = bands.weave(np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1), None, np.empty(bands.shape))
    figure, axes = canvas(7.4, 3.0)
    size = 0.36

    def cell(x: float, y: float, text: str, filled: str = "white", color: str = INK) -> None:
        axes.add_patch(Rectangle((x, y), size, size, facecolor=filled, edgecolor=LINE, linewidth=1))
        write(axes, (x + size / 2, y + size / 2), text, color)

    for i in range(bands.pixels):
        cell(0.3 + i * size, 1.15, f"x{'₀₁₂₃₄₅'[i]}", color=BLUE)
    write(axes, (0.3 + 3 * size, 1.8), "a tile of six pixels", QUIET, 9)
    write(axes, (2.75, 1.15 + size / 2), "×", size=14)
    for i, j in np.ndindex(band.shape):
        weight = band[i, j]
        tint = "#fde8d5" if weight else "white"
        cell(
            3.05 + j * size,
            2.2 - i * size,
            f"w{'₀₁₂'[int(weight) - 1]}" if weight else "0",
            tint,
            ORANGE if weight else LINE,
        )
    write(axes, (3.05 + 2 * size, 2.75), "the band matrix", QUIET, 9)
    write(axes, (4.78, 1.15 + size / 2), "=", size=14)
    for j in range(band.shape[1]):
        cell(5.05 + j * size, 1.15, f"y{'₀₁₂₃'[j]}", color=BLUE)
    write(axes, (5.05 + 2 * size, 1.8), "four outputs", QUIET, 9)
    write(axes, (5.05 + 2 * size, 0.85), "y₁ = w₀x₁ + w₁x₂ + w₂x₃", QUIET, 9)
    return figure


def draw_cnn() -> Figure:
    """The feature maps of the recipe `cnn`: as high as they are, and the wider the more channels they have."""
    network = network_of("cnn")
    kept = [layer for layer in network.layers if layer.kind in ("conv2d", "maxpool2d", "dense")]
    figure, axes = canvas(8.4, 2.9)
    x = 0.35
    for name, shape in (("picture", network.input_shape), *((layer.kind, layer.output_shape) for layer in kept)):
        height, channels = (shape[0], shape[2]) if len(shape) == 3 else (10, shape[0])
        high, wide = 0.055 * height, 0.12 + 0.0042 * channels
        color = {"conv2d": "#dbe9f8", "maxpool2d": "#fde8d5", "dense": "#dcefe2"}.get(name, "white")
        axes.add_patch(Rectangle((x, 1.55 - high / 2), wide, high, facecolor=color, edgecolor=INK, linewidth=1))
        label = "×".join(map(str, shape))
        write(axes, (x + wide / 2, 0.5), label, INK, 7.5)
        write(axes, (x + wide / 2, 2.6), {"conv2d": "conv", "maxpool2d": "pool"}.get(name, name), QUIET, 8.5)
        x += wide + 0.56
    write(axes, (4.2, 0.18), f"{network.vector.value.size:,} parameters", QUIET, 9)
    return figure


DIAGRAMS: dict[str, Callable[[], Figure]] = {
    "network.svg": draw_network,
    "layer.svg": draw_layer,
    "by-hand.svg": draw_by_hand,
    "batch-norm.svg": draw_batch_norm,
    "bands.svg": draw_bands,
    "cnn.svg": draw_cnn,
}
