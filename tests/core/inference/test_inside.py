"""What each layer makes of an image: stage by stage what the network computes, under the names of its weights."""

import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from core.inference.inside import Inside
from core.inference.predict import Predictor
from core.nn.architectures import build
from core.nn.chain import Chain
from core.nn.ensemble import Ensemble
from core.nn.residual import Residual
from core.nn.sequential import Sequential
from tests.core.artifact.builders import LABELS, NORMALIZER, some_images
from tests.floats import assert_same_bits, assert_same_function

RECIPES = Path(__file__).resolve().parents[3] / "recipes"
Layers = Sequence[dict[str, Any]]

BLOCKS: Layers = (
    {"kind": "conv2d", "channels": 4, "kernel": 5, "stride": 3},
    {
        "kind": "residual",
        "layers": [
            {"kind": "conv2d", "channels": 6, "kernel": 3, "padding": "same"},
            {"kind": "residual", "layers": [{"kind": "gelu"}]},
        ],
        "shortcut": [{"kind": "conv2d", "channels": 6, "kernel": 1}],
    },
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "dropout", "rate": 0.5},
    {"kind": "flatten"},
    {"kind": "ensemble", "members": [[{"kind": "dense", "units": 10}]] * 3},
)
"""Blocks within blocks, and an ensemble that is not the whole network."""


def recipe(name: str) -> tuple[tuple[int, ...], Layers]:
    """The input shape and the layers of a recipe; those of an ensemble as it is published."""
    model = tomllib.loads((RECIPES / f"{name}.toml").read_text())["model"]
    layers = [{"kind": "ensemble", "members": model["members"]}] if "members" in model else model["layers"]
    return tuple(model["input_shape"]), layers


NETWORKS = {name: recipe(name) for name in ("mlp", "cnn", "ensemble")} | {"blocks": ((28, 28, 1), BLOCKS)}


def network_of(name: str) -> Sequential:
    """A network with random weights, whose batch norms have averages of their own."""
    shape, layers = NETWORKS[name]
    rng = np.random.default_rng(3)
    network = build(shape, layers, rng=rng)
    network.forward(rng.normal(0, 1, (8, *shape)).astype(np.float32), training=True)
    return network


def look(name: str, image: np.ndarray) -> tuple[Inside, Sequential]:
    network = network_of(name)
    return Predictor(network, NORMALIZER, LABELS).inside(image, NETWORKS[name][1]), network


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_stage_is_the_logits_and_the_answer_follows_from_it(name):
    image = some_images(1)[0]
    inside, network = look(name, image)
    predictor = Predictor(network, NORMALIZER, LABELS)
    terms = network.vector.value.size  # more than all of its sums together
    assert_same_function(inside.stages[-1].output, predictor.logits(image[np.newaxis])[0], terms=terms)
    expected = predictor.answers(image[np.newaxis]).probabilities
    assert_same_function(inside.answers.probabilities, expected, terms=terms, scale=1.0)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_parameters_of_all_stages_are_those_of_the_network(name):
    inside, network = look(name, some_images(1)[0])
    assert sum(stage.parameters for stage in inside.stages) == network.vector.value.size


@pytest.mark.parametrize("name", NETWORKS)
def test_stages_are_named_as_the_weights_are(name):
    inside, network = look(name, some_images(1)[0])
    names = [stage.name for stage in inside.stages]
    layers = dict(network.named_layers())
    assert len(set(names)) == len(names)
    assert set(names) <= layers.keys()
    for stage in inside.stages:
        layer = layers[stage.name]
        assert (stage.kind, stage.output.shape, stage.output.dtype) == (layer.kind, layer.output_shape, np.float32)
        if not isinstance(layer, Residual | Ensemble):
            assert stage.parameters == sum(p.value.size for p in layer.parameters.values())
    of_others = ("0.ensemble.1.", "0.ensemble.2.")
    first = {n for n, layer in layers.items() if not isinstance(layer, Chain) and not n.startswith(of_others)}
    assert name == "blocks" or set(names) == first, "every layer, and of an ensemble those of the first member"


def test_blocks_come_after_the_layers_that_they_are_made_of():
    inside, _ = look("blocks", some_images(1)[0])
    assert [(stage.name, dict(stage.options)) for stage in inside.stages] == [
        ("0.conv2d", {"channels": 4, "kernel": 5, "stride": 3}),
        ("1.residual.0.conv2d", {"channels": 6, "kernel": 3, "padding": "same"}),
        ("1.residual.1.residual.0.gelu", {}),
        ("1.residual.1.residual", {}),
        ("1.residual.shortcut.0.conv2d", {"channels": 6, "kernel": 1}),
        ("1.residual", {}),
        ("2.relu", {}),
        ("3.maxpool2d", {}),
        ("4.dropout", {"rate": 0.5}),
        ("5.flatten", {}),
        ("6.ensemble.0.0.dense", {"units": 10}),
        ("6.ensemble", {"members": 3}),
    ]
    by_name = {stage.name: stage.output for stage in inside.stages}
    total = by_name["1.residual.1.residual"] + by_name["1.residual.shortcut.0.conv2d"]
    assert_same_bits(by_name["1.residual"], total)
    assert_same_bits(by_name["2.relu"], np.maximum(total, 0))
    assert_same_bits(by_name["4.dropout"], by_name["3.maxpool2d"])


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_every_stage_is_what_the_network_computes_up_to_there(name):
    image = some_images(1)[0]
    inside, network = look(name, image)
    network.as_written()
    x = NORMALIZER.apply(image[np.newaxis]).reshape(1, *network.input_shape)
    for stage, layer in zip(inside.stages, network.layers, strict=True):
        x = layer.forward(x)
        assert_same_bits(stage.output, x[0].copy())


def test_threads_that_look_inside_and_predict_do_not_interfere():
    predictor = Predictor(network_of("cnn"), NORMALIZER, LABELS)
    layers, images = NETWORKS["cnn"][1], some_images(4)
    probabilities = predictor.probabilities(images)
    alone = [predictor.inside(image, layers) for image in images]
    start = Barrier(4)

    def same(found: Inside, expected: Inside) -> bool:
        pairs = zip(found.stages, expected.stages, strict=True)
        return all(np.array_equal(one.output, other.output) for one, other in pairs)

    def work(number: int) -> bool:
        start.wait()
        if number % 2:
            return all(np.array_equal(predictor.probabilities(images), probabilities) for _ in range(20))
        return all(same(predictor.inside(images[k % 4], layers), alone[k % 4]) for k in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
