"""Charts of the guide: what core computes, and what came of the studies."""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
from guide_canvas import Curve, chart
from matplotlib.figure import Figure

from core.data import mnist
from core.data.normalize import Normalizer
from core.nn.activation import ReLU, Sigmoid, Tanh
from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.optim.schedules import schedule_from
from pipelines.order import Order
from pipelines.study.comparison import Comparison
from pipelines.study.conduct import Row
from pipelines.study.question import Question

ROOT = Path(__file__).resolve().parent.parent
DEEP = {"sigmoid": "glorot_normal", "tanh": "glorot_normal", "relu": "he_normal"}
FLAT = 12.0  # nats: a loss above this is cut off, so that it does not hide what the others do


def one(
    title: str,
    curves: Sequence[Curve],
    *,
    across: str = "epoch",
    log: bool = True,
    top: float = inf,
    height: float = 3.4,
) -> Figure:
    """A figure of one chart, with room for the names at the right."""
    figure = Figure(figsize=(6.6, height))
    axes = figure.add_axes((0.1, 0.5 / height, 0.66, 1 - 0.85 / height))
    chart(axes, title, curves, across=across, log=log, top=top)
    return figure


def draw_schedules() -> Figure:
    """The factor of each schedule over a training of 200 steps."""
    named = {
        "constant": "constant",
        "cosine": "cosine",
        "step": "step",
        "exponential": "exponential",
        "one-cycle": "one_cycle",
        "cosine, warm-up": {"kind": "cosine", "warmup": 0.1},
    }
    steps = range(201)
    curves = [Curve(name, steps, [schedule_from(kind)(s, 200) for s in steps]) for name, kind in named.items()]
    return one("Factor on the learning rate", curves, across="step of 200", log=False, height=2.9)


def gradient_lengths(activation: str) -> list[float]:
    """The length of each weight matrix's gradient: eight hidden layers, 500 images of MNIST, before the first step."""
    data = mnist.load(ROOT / "data/mnist")
    x = Normalizer.of("standard", data.train_images).apply(data.train_images[:500]).reshape(-1, 784)
    layers = [{"kind": "dense", "units": 64, "init": DEEP[activation]}, {"kind": activation}] * 8
    network = build((784,), [*layers, {"kind": "dense", "units": 10}], rng=np.random.default_rng(1))
    criterion = SoftmaxCrossEntropy()
    criterion.forward(network.forward(x, training=True), data.train_labels[:500])
    network.backward(criterion.backward(), need_dx=False)
    return [float(np.linalg.norm(p.grad)) for name, p in network.parameters.items() if name.endswith("W")]


def draw_vanishing() -> Figure:
    """Slopes of three activations, and what eight of each do to the gradient."""
    x = np.linspace(-5, 5, 81, dtype=np.float32)[:, np.newaxis]
    slopes = []
    for name, kind in (("sigmoid", Sigmoid), ("tanh", Tanh), ("ReLU", ReLU)):
        layer = kind((1,))
        layer.forward(x, training=True)
        slope = layer.backward(np.ones_like(x))
        slopes.append(Curve(name, x[:, 0].tolist(), [] if slope is None else slope[:, 0].tolist()))
    lengths = [Curve("ReLU" if name == "relu" else name, range(1, 10), gradient_lengths(name)) for name in DEEP]
    figure = Figure(figsize=(8, 3))
    left, right = figure.add_axes((0.06, 0.17, 0.33, 0.7)), figure.add_axes((0.56, 0.17, 0.33, 0.7))
    chart(left, "Slope", slopes, across="x", gap=0.1)
    chart(right, "Length of the gradient", lengths, across="layer", log=True, gap=0.1)
    return figure


def losses(title: str, rows: Sequence[Row], *, validation: bool, from_start: bool = False) -> Figure:
    """The loss of each variant by epoch; from_start begins with the validation loss before the first step."""
    curves = []
    for row in rows:
        history = row.outcome.history
        values = [epoch.validation_loss if validation else epoch.train_loss for epoch in history]
        epochs = [epoch.epoch for epoch in history]
        if from_start:
            epochs, values = [0, *epochs], [row.outcome.initial_loss, *values]
        name = f"{row.variant.name} ✕" if row.outcome.diverged else row.variant.name
        curves.append(Curve(name, epochs, values))
    return one(title, curves, top=inf if from_start else FLAT)


def gradients(title: str, rows: Sequence[Row]) -> Figure:
    """The length of the gradient of each layer with weights, at the first step that was measured and was finite."""
    curves = []
    for row in rows:
        looks = [look for epoch in row.outcome.history for look in epoch.diagnostics]
        if looks:
            found = [layer.gradient_norm for layer in looks[0].layers if layer.gradient_norm is not None]
            curves.append(Curve(row.variant.name, range(1, len(found) + 1), found))
    return one(title, curves, across="layer with weights, from the first to the last")


def both_losses(rows: Sequence[Row]) -> Figure:
    """Training and validation loss of each variant, side by side on one scale."""
    figure = Figure(figsize=(8.6, 3.3))
    left, right = figure.add_axes((0.07, 0.15, 0.35, 0.74)), figure.add_axes((0.47, 0.15, 0.35, 0.74))
    for axes, title, validation in ((left, "Training loss", False), (right, "Validation loss", True)):
        curves = [
            Curve(
                row.variant.name if validation else "",
                [epoch.epoch for epoch in row.outcome.history],
                [epoch.validation_loss if validation else epoch.train_loss for epoch in row.outcome.history],
            )
            for row in rows
        ]
        chart(axes, title, curves, across="epoch", log=True)
    return figure


STUDIES: dict[str, Callable[[Sequence[Row]], Figure]] = {
    "initialization": partial(gradients, "Length of the gradient at the first step"),
    "activation": partial(gradients, "Length of the gradient at the first step"),
    "learning-rate": partial(losses, "Training loss, in nats", validation=False),
    "depth": partial(losses, "Training loss, in nats", validation=False),
    "optimizer": partial(losses, "Training loss, in nats", validation=False),
    "regularization": both_losses,
    "batch-size": partial(losses, "Training loss, in nats", validation=False),
    "normalization": partial(losses, "Validation loss, in nats", validation=True, from_start=True),
}


def draw_study(name: str, data_dir: Path) -> Figure:
    """The picture of a study; what is not among the outcomes in `data_dir` is trained first."""
    order = Order(data_dir=data_dir, mirrors=((ROOT / "data/mnist").as_uri(),))
    comparison = Comparison.made(Question.asked(name, (), None, (), None), order, workers=None)
    return STUDIES[name](comparison.rows)
