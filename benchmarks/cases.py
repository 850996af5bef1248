"""What is measured: networks, batches, and how the two cores are used."""

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
"""What each contender may use while it trains; for inference it is one."""

Layers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """One network and one batch size.

    Attributes:
        name: What `--case` knows it by.
        input_shape: Of one image.
        layers: As a recipe writes them.
        batch_size: Images in a batch.
        peers: Whom we are compared with, by name.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: Layers
    batch_size: int
    peers: tuple[str, ...]

    def network(self, dtype: DTypeLike = np.float32) -> Sequential:
        """The network, with the same initial weights at every call and in every process.

        Biases begin at 0 and would be the same in any place; so each weight is moved a little, and none can get lost.
        """
        rng = np.random.default_rng(0)
        network = build(self.input_shape, self.layers, rng=rng, dtype=dtype)
        network.vector.value += 0.01 * rng.standard_normal(network.vector.value.shape)
        return network


@dataclass(frozen=True)
class TrainingCase(Case):
    """A case that is trained.

    Attributes:
        optimizer: Its kind, with its default options.
        learning_rate: Of every step.
        shards: Parts of a batch that we compute at once.
        threads: BLAS threads of each part.
    """

    optimizer: str
    learning_rate: float
    shards: int
    threads: int


AnyCase = TypeVar("AnyCase", bound=Case)


def chosen(cases: Sequence[AnyCase], pattern: str) -> list[AnyCase]:
    """The cases whose names match, e.g. `mlp-32` or `cnn*`.

    Raises:
        ConfigError: None does.
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

# How we use the cores (`shards`, `threads`) is a setting of each case, as of a recipe. To compare another way:
# `python -m benchmarks training --case mlp-128 --shards 2 --threads 1`, on a quiet machine.
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
