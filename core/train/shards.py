"""A batch in parts, each on a thread of its own: data parallelism within one machine.

The gradient of a mean is a mean of gradients: with the batch's N images in parts of n_k,

    L = (1/N) Σ_n ℓ_n = Σ_k (n_k/N) L_k        so  ∂L/∂w = Σ_k (n_k/N) ∂L_k/∂w

(Dean et al. 2012, §4; here the parts meet after every step, so nothing is ever stale). A product of large matrices
keeps all cores busy by itself, but NumPy computes everything else on one: activations, pooling, copies. In parts, every
thread does all of it for its own images, with arrays half as large, which then stay in its core's cache.

Two things see their own part alone, as in PyTorch's DistributedDataParallel: a batch norm's statistics ("ghost batch
norm", Hoffer, Hubara & Soudry 2017, which they found to generalize better), whose running averages are the parts' mean;
and a dropout's masks, which are drawn from seeds that the network's own generators give, and so can be resumed.
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
from core.nn.losses import Loss
from core.nn.sequential import Sequential


class Shards:
    """One network, trained on all parts of a batch at once. Use it as a context manager: it owns threads.

    The parts' gradients are added in a fixed order, so the same seed and count give bit-identical weights.
    """

    def __init__(self, network: Sequential, loss: Callable[[], Loss], count: int = 1) -> None:
        """Make the parts.

        Args:
            network: Computes the first part, and holds the parameters that all share.
            loss: Makes a loss for each part.
            count: How many parts; 1 uses no thread at all.

        Raises:
            ConfigError: Not at least one part.
        """
        if count < 1:
            raise ConfigError(f"{count} shards, expected at least 1")
        self._networks = [network, *(network.with_own_gradients() for _ in range(count - 1))]
        self._losses = [loss() for _ in range(count)]
        self._threads = ThreadPoolExecutor(count - 1, "shard") if count > 1 else None

    def __enter__(self) -> Self:
        """The threads start with the first batch."""
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
            The mean loss of the batch, and how many images were read right.
        """
        count = min(len(self._networks), len(x))
        if self._threads is None or count == 1:
            return self._part(0, x, labels, 1.0)
        self._share()
        ends = [len(x) * k // count for k in range(count + 1)]
        parts = [slice(*pair) for pair in pairwise(ends)]
        share = [(part.stop - part.start) / len(x) for part in parts]
        others = [
            self._threads.submit(copy_context().run, self._part, k, x[parts[k]], labels[parts[k]], share[k])
            for k in range(1, count)
        ]
        try:
            found = [self._part(0, x[parts[0]], labels[parts[0]], share[0])]
        finally:
            found_there = [other.result() for other in others]  # before anybody touches their arrays
        self._gather(share)
        found += found_there
        return sum(s * loss for s, (loss, _) in zip(share, found, strict=True)), sum(right for _, right in found)

    def _part(self, k: int, x: Array, labels: NDArray[np.integer], share: float) -> tuple[float, int]:
        """One part, on the calling thread; its gradients come out multiplied by its share of the batch."""
        network, loss = self._networks[k], self._losses[k]
        with np.errstate(over="ignore", invalid="ignore"):  # kept by each thread for itself; the loop looks at the loss
            logits = network.forward(x, training=True)
            mean = loss.forward(logits, labels)
            right = int(np.count_nonzero(logits.argmax(axis=1) == labels))
            dlogits = loss.backward()
            if share != 1:
                dlogits *= share
            network.backward(dlogits, need_dx=False)
        return mean, right

    def _share(self) -> None:
        """Before a step: hand each twin what the layers have counted so far, and seeds for its random numbers."""
        first, *twins = self._networks
        counted, generators = first.buffers, first.generators
        for twin in twins:
            for name, buffer in twin.buffers.items():
                buffer[...] = counted[name]
            for name, generator in twin.generators.items():
                generator.bit_generator.state = np.random.PCG64(int(generators[name].integers(2**63))).state

    def _gather(self, share: list[float]) -> None:
        """After a step: add up the gradients, and average what the layers have counted."""
        first, *twins = self._networks[: len(share)]
        for twin in twins:
            first.vector.grad += twin.vector.grad
        counted = [twin.buffers for twin in twins]
        for name, buffer in first.buffers.items():
            buffer *= share[0]
            for part, theirs in zip(share[1:], counted, strict=True):
                buffer += part * theirs[name]
