"""The cases to measure: networks, batch sizes, and how the two cores are used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ConfigError
from core.nn.architectures import build
from core.nn.sequential import Sequential

CORES = 2
"""How many cores each contender may use for training. Inference uses one."""

Layers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """One network and one batch size.

    Attributes:
        name: The name for `--case`.
        input_shape: Shape of one image.
        layers: The layers as in a recipe.
        batch_size: Images in a batch.
        peers: Names of the peers to compare with.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: Layers
    batch_size: int
    peers: tuple[str, ...]

    def network(self, dtype: DTypeLike = np.float32) -> Sequential:
        """The network, with the same initial weights at every call and in every process.

        Biases are initialized to 0, so a bias that is assigned to the wrong layer would go unnoticed. A little noise on
        every parameter makes all of them distinct.
        """
        rng = np.random.default_rng(0)
        network = build(self.input_shape, self.layers, rng=rng, dtype=dtype)
        network.vector.value += 0.01 * rng.standard_normal(network.vector.value.shape)
        return network


@dataclass(frozen=True)
class TrainingCase(Case):
    """A case that is trained.

    Attributes:
        optimizer: The optimizer's kind, with default options.
        learning_rate: The learning rate, constant.
        shards: Parts of a batch that our side computes at once.
        threads: BLAS threads of each part.
    """

    optimizer: str
    learning_rate: float
    shards: int
    threads: int


AnyCase = TypeVar("AnyCase", bound=Case)


def chosen(cases: Sequence[AnyCase], pattern: str) -> list[AnyCase]:
    """The cases whose names match a pattern, e.g. `mlp-32` or `cnn*`.

    Raises:
        ConfigError: No case matches.
    """
    found = [case for case in cases if fnmatchcase(case.name, pattern)]
    if not found:
        raise ConfigError(f"no case matches {pattern!r}; known: {', '.join(case.name for case in cases)}")
    return found


def _mlp(hidden: int) -> Layers:
    return ({"kind": "dense", "units": hidden}, {"kind": "relu"}, {"kind": "dense", "units": 10})


def _wide_block(channels: int) -> Layers:
    conv = {"kind": "conv2d", "channels": channels, "kernel": 3, "padding": "same"}
    half: Layers = (conv, {"kind": "batch_norm"}, {"kind": "relu"})
    return (*half, *half, {"kind": "maxpool2d"})


_LENET: Layers = (
    {"kind": "conv2d", "channels": 8, "kernel": 5},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "conv2d", "channels": 16, "kernel": 5},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "flatten"},
    *_mlp(120),
)
_WIDE: Layers = (*_wide_block(16), *_wide_block(32), {"kind": "flatten"}, *_mlp(128))
_ROW, _PICTURE = (784,), (28, 28, 1)
_FLAT_PEERS = ("pytorch", "pytorch, 1 thread")
_SCIKIT = ("scikit-learn", "scikit-learn, 1 thread")
_PICTURE_PEERS = ("pytorch", "pytorch, channels_last")

# How our side uses the cores (`shards`, `threads`) is a setting of each case, as it is of a recipe. To try another one:
# `python -m benchmarks training --case mlp-128 --shards 2 --threads 1`, on an idle machine.
TRAINING = (
    TrainingCase("mlp-32", _ROW, _mlp(128), 32, _FLAT_PEERS + _SCIKIT, "sgd", 0.1, shards=1, threads=2),
    TrainingCase("mlp-128", _ROW, _mlp(128), 128, _FLAT_PEERS + _SCIKIT, "sgd", 0.1, shards=1, threads=2),
    TrainingCase("mlp-1024-128", _ROW, _mlp(1024), 128, _FLAT_PEERS, "sgd", 0.1, shards=1, threads=2),
    TrainingCase("cnn", _PICTURE, _LENET, 128, _PICTURE_PEERS, "adam", 0.001, shards=2, threads=1),
    TrainingCase("cnn-wide", _PICTURE, _WIDE, 128, _PICTURE_PEERS, "adam", 0.001, shards=2, threads=1),
)

INFERENCE = tuple(
    Case(f"{name}-{size}", shape, layers, size, ("onnxruntime",))
    for name, shape, layers in (("mlp", _ROW, _mlp(128)), ("cnn", _PICTURE, _LENET))
    for size in (1, 64)
)
