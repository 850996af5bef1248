"""What each layer of a network makes of one image: the forward pass, one layer at a time.

Every output comes from the layer's own `forward`, so that it is what the network in use computes. Layers are taken in
the order in which the recipe lists them, although a `Chain` computes a ReLU after the max pooling that follows it:
what comes out behind both is the same, and people look for the ReLU where the recipe has it.

Layers that are made of layers become one row, the order of computing:

    residual    the layers of f, those of the shortcut g, and then the block itself: f(x) + g(x)
    ensemble    the layers of the first member, and then the ensemble itself: the vote of all members
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from core.kernels.arrays import Array
from core.nn.chain import Chain
from core.nn.composite import dotted
from core.nn.ensemble import Ensemble
from core.nn.layer import Layer
from core.nn.residual import Residual
from core.nn.sequential import Sequential

__all__ = ["Inside", "Stage", "stages"]


@dataclass(frozen=True, eq=False)
class Stage:
    """The output of one layer for one image.

    Attributes:
        name: Its place and its kind, as in the names of its weights: "0.conv2d", or "0.ensemble.0.3.dense" within a
            member of an ensemble.
        kind: Its kind, as recipes name it.
        options: What the recipe sets for it, without the layers that it is made of; for an ensemble, the number of its
            members.
        output: (H, W, C), or (K,): a new array.
        parameters: How many numbers it has learned, without those of the stages before it. For an ensemble, these are
            the parameters of all members but the first. So those of all stages add up to those of the network.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    output: Array
    parameters: int


@dataclass(frozen=True, eq=False)
class Inside:
    """What a version makes of one image, from the first layer to the answer.

    Attributes:
        stages: The outputs of all layers; the last of them are the logits.
        answers: The version's answers to the image: a single row.
    """

    stages: tuple[Stage, ...]
    answers: Answers


Trace = Generator[Stage, None, Array]
"""Yields the stages of a layer, and returns its output, (1, *output_shape)."""


def stages(network: Sequential, layers: Sequence[Mapping[str, Any]], x: NDArray[np.float32]) -> tuple[Stage, ...]:
    """The output of each layer for one image.

    Args:
        network: It is used by the calling thread alone: pass a `replica`.
        layers: What the network was built from: see `core.nn.architectures.build`.
        x: (1, *input_shape), the normalized image.
    """
    return tuple(_chain(network, "", layers, x))


def _chain(chain: Layer, name: str, entries: Sequence[Mapping[str, Any]], x: Array) -> Trace:
    """One layer after the other; without a layer, x itself."""
    assert isinstance(chain, Chain)  # noqa: S101 — parts that are made from a list of layers
    for (part, layer), entry in zip(chain.parts.items(), entries, strict=True):
        x = yield from _layer(layer, dotted(name, part), entry, x)
    return x


@singledispatch
def _layer(layer: Layer, name: str, entry: Mapping[str, Any], x: Array) -> Trace:
    """A layer that is made of no others."""
    y = layer.forward(x)
    yield _stage(layer, name, entry, y, _count(layer))
    return y


@_layer.register
def _(block: Residual, name: str, entry: Mapping[str, Any], x: Array) -> Trace:
    """y = f(x) + g(x)."""
    f = yield from _chain(block.body, name, entry["layers"], x)
    g = yield from _chain(block.shortcut, dotted(name, "shortcut"), entry.get("shortcut", ()), x)
    y: Array = f + g
    yield _stage(block, name, entry, y, 0)
    return y


@_layer.register
def _(ensemble: Ensemble, name: str, entry: Mapping[str, Any], x: Array) -> Trace:
    """y = the logarithm of the members' mean probability."""
    (part, first), *others = ensemble.parts.items()
    z = np.empty((len(x), len(ensemble.members), *ensemble.output_shape), x.dtype)  # (1, M, …, K)
    z[:, 0] = yield from _chain(first, dotted(name, part), entry["members"][0], x)
    for m, (_, member) in enumerate(others, 1):
        z[:, m] = member.forward(x)
    y = ensemble.vote(z)
    voters = {"members": len(ensemble.members)}
    yield _stage(ensemble, name, voters, y, sum(_count(member) for _, member in others))
    return y


def _stage(layer: Layer, name: str, entry: Mapping[str, Any], y: Array, parameters: int) -> Stage:
    inner = ("kind", "layers", "shortcut")
    options = {option: value for option, value in entry.items() if option not in inner}
    # A copy: y belongs to the layer, or is the input of a layer that does nothing in use.
    return Stage(name, layer.kind, options, y[0].copy(), parameters)


def _count(layer: Layer) -> int:
    return sum(parameter.value.size for parameter in layer.parameters.values())
