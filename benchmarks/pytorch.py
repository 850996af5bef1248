"""PyTorch's side: eager mode, as its tutorials write a training loop."""

from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.cases import CORES, TrainingCase
from benchmarks.channels_first import channels_first
from benchmarks.contender import Contender
from benchmarks.digits import batches, training_digits
from core.errors import ConfigError
from core.nn.sequential import Sequential

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


class PyTorchTraining(Contender):
    """A step: gather the batch, forward, loss, backward, update."""

    def __init__(self, case: TrainingCase, *, threads: int = CORES, channels_last: bool = False) -> None:
        """Make the same network as ours.

        Args:
            case: What to train.
            threads: The number of threads for its operators.
            channels_last: Store images and kernels with the channel as the fastest axis, as our side does; otherwise,
                the channel comes before rows and columns.
        """
        self.case, self.channels_last = case, channels_last
        torch.set_num_threads(threads)
        images, labels = training_digits()
        self.labels = torch.from_numpy(labels)
        self.images = torch.from_numpy(images)
        if len(case.input_shape) == 3:
            self.images = self.images.reshape(-1, 1, *case.input_shape[:2])
        self.network = _network(case.network(), torch.float32)
        if channels_last:
            self.images = self.images.to(memory_format=torch.channels_last)
            self.network = self.network.to(memory_format=torch.channels_last)
        self.initial = {name: value.clone() for name, value in self.network.state_dict().items()}

    def begin(self) -> None:
        """Initial weights, a fresh optimizer, the first batch."""
        self.network.load_state_dict(self.initial)
        self.optimizer = OPTIMIZERS[self.case.optimizer](self.network.parameters(), lr=self.case.learning_rate)
        self.rows = batches(len(self.images), self.case.batch_size)

    def step(self) -> int:
        """One step; returns the batch size."""
        rows = torch.from_numpy(next(self.rows))
        _update(self.network, self.optimizer, self.images[rows], self.labels[rows])
        return self.case.batch_size

    def evidence(self) -> NDArray[np.floating[Any]]:
        """The losses of the first 3 steps."""
        network = _network(self.case.network(np.float64), torch.float64)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        optimizer = OPTIMIZERS[self.case.optimizer](network.parameters(), lr=self.case.learning_rate)
        first = islice(batches(len(self.images), self.case.batch_size), 3)
        return np.array(
            [_update(network, optimizer, self.images[rows].double(), self.labels[rows]).item() for rows in first]
        )


def _update(network: Any, optimizer: Any, x: Any, labels: Any) -> Any:
    """One update; returns the loss before the update."""
    optimizer.zero_grad()
    loss = cross_entropy(network(x), labels)
    loss.backward()
    optimizer.step()
    return loss


def _network(network: Sequential, dtype: Any) -> Any:
    """The same layers with the same weights."""
    modules = []
    for layer, arrays in channels_first(network):
        module = _module(layer).to(dtype)
        with torch.no_grad():
            for name, array in arrays.items():
                parameter = module.weight if name in {"W", "gamma"} else module.bias
                transposed = layer.kind == "dense" and name == "W"  # (units, inputs) there
                parameter.copy_(torch.from_numpy(array.T if transposed else array))
        modules.append(module)
    return nn.Sequential(*modules)


def _module(layer: Any) -> Any:
    """The PyTorch module that corresponds to one of our layers."""
    match layer.kind:
        case "dense":
            return nn.Linear(layer.input_shape[0], layer.output_shape[0])
        case "conv2d":
            kh, kw, inputs, outputs = layer.W.value.shape
            padding = "same" if layer.output_shape[:2] == layer.input_shape[:2] else "valid"
            return nn.Conv2d(inputs, outputs, (kh, kw), padding=padding)
        case "batch_norm":
            return nn.BatchNorm2d(layer.input_shape[-1])
        case "relu":
            return nn.ReLU()
        case "maxpool2d":
            return nn.MaxPool2d(2)
        case "flatten":
            return nn.Flatten()
    raise ConfigError(f"{layer.kind}: the PyTorch side does not know this layer; name its module in _module")
