"""A batch in shards, each computed by its own thread: data parallelism within one machine.

The gradient of a mean is a mean of gradients: with the batch's N images in shards of n_k,

    L = (1/N) Σ_n ℓ_n = Σ_k (n_k/N) L_k        so  ∂L/∂w = Σ_k (n_k/N) ∂L_k/∂w

(Dean et al. 2012, §4; here the shards are combined after every step, so no gradient is stale). A product of large
matrices keeps all cores busy by itself, but NumPy computes everything else on one: activations, pooling, copies. With
shards, every thread does all of this for its own images, with smaller arrays, which then stay in its core's cache.

Two things are computed per shard, as in PyTorch's DistributedDataParallel: the statistics of a batch norm ("ghost batch
norm", which Hoffer, Hubara & Soudry 2017 found to generalize better), whose running averages are the mean of the
shards'; and the masks of a dropout, whose seeds come from the network's own generators, so that they can be resumed.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.kernels.arrays import Array
from core.nn.loss import Loss
from core.nn.sequential import Sequential


class Shards:
    """One network, trained on all shards of a batch at once. Use it as a context manager: it owns threads.

    The gradients are added in a fixed order, so the same seed and number of shards give bit-identical weights.
    """

    def __init__(self, network: Sequential, loss: Callable[[], Loss], count: int = 1) -> None:
        """Make a twin of the network for each further shard.

        Args:
            network: Computes the first shard, and holds the parameters that all share.
            loss: Makes a loss for each shard.
            count: How many shards; 1 starts no thread.

        Raises:
            ConfigError: Not at least one shard.
        """
        if count < 1:
            raise ConfigError(f"{count} shards, expected at least 1")
        self._networks = [network, *(network.with_own_gradients() for _ in range(count - 1))]
        self._losses = [loss() for _ in range(count)]
        self._threads = ThreadPoolExecutor(count - 1, "shard") if count > 1 else None

    def __enter__(self) -> Self:
        """Nothing happens yet: threads start with the first batch."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the threads."""
        if self._threads is not None:
            self._threads.shutdown()

    def gradients(self, x: Array, labels: NDArray[np.integer]) -> tuple[float, int]:
        """Forward and backward for one batch: fills the gradient of every parameter of the network.

        Args:
            x: (N, *input_shape).
            labels: (N,).

        Returns:
            The mean loss of the batch, and how many images were classified correctly.
        """
        count = min(len(self._networks), len(x))
        if self._threads is None or count == 1:
            return self._compute(0, x, labels, 1.0)
        self._hand_out()
        ends = [len(x) * k // count for k in range(count + 1)]
        rows = [slice(*pair) for pair in pairwise(ends)]
        shares = [(own.stop - own.start) / len(x) for own in rows]
        others = [
            self._threads.submit(copy_context().run, self._compute, k, x[rows[k]], labels[rows[k]], shares[k])
            for k in range(1, count)
        ]
        try:
            found = [self._compute(0, x[rows[0]], labels[rows[0]], shares[0])]
        finally:
            found_there = [other.result() for other in others]  # wait for all threads before their arrays are touched
        self._gather(shares)
        found += found_there
        loss = sum(share * loss for share, (loss, _) in zip(shares, found, strict=True))
        return loss, sum(right for _, right in found)

    def _compute(self, k: int, x: Array, labels: NDArray[np.integer], share: float) -> tuple[float, int]:
        """Forward, loss and backward of shard k, on the calling thread; gradients are multiplied by its share."""
        network, loss = self._networks[k], self._losses[k]
        with np.errstate(over="ignore", invalid="ignore"):  # NumPy keeps this per thread; the loop checks the loss
            loss.see(x)
            logits = network.forward(x, training=True)
            mean = loss.forward(logits, labels)
            right = int(np.count_nonzero(loss.predicted(logits) == labels))
            dlogits = loss.backward()
            if share != 1:
                dlogits *= share
            network.backward(dlogits, need_dx=False)  # nothing is learned from the gradient of the images
        return mean, right

    def _hand_out(self) -> None:
        """Before a step: give each twin the running averages so far, and seeds for its random numbers."""
        first, *twins = self._networks
        buffers, generators = first.buffers, first.generators
        for twin in twins:
            for name, buffer in twin.buffers.items():
                buffer[...] = buffers[name]
            for name, generator in twin.generators.items():
                generator.bit_generator.state = np.random.PCG64(int(generators[name].integers(2**63))).state

    def _gather(self, shares: list[float]) -> None:
        """After a step: add up the gradients, and average the running averages."""
        first, *twins = self._networks[: len(shares)]
        for twin in twins:
            first.vector.grad += twin.vector.grad
        buffers = [twin.buffers for twin in twins]
        for name, buffer in first.buffers.items():
            buffer *= shares[0]
            for share, theirs in zip(shares[1:], buffers, strict=True):
                buffer += share * theirs[name]
