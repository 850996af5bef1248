"""Our side: the layers of `core.nn`, trained as `core.train.loop` trains them."""

from collections.abc import Callable
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Case, TrainingCase
from benchmarks.contender import Contender
from benchmarks.digits import batches, training_digits
from core.inference.compiled import Compiled
from core.kernels import aligned
from core.kernels.arrays import Step
from core.kernels.blas import blas_threads, slices_suit
from core.nn.losses import SoftmaxCrossEntropy
from core.optim.optimizers import OPTIMIZERS
from core.train.shards import Shards


class OurTraining(Contender):
    """A step: gather the batch, forward, loss, backward, update."""

    def __init__(self, case: TrainingCase) -> None:
        self.case = case
        images, self.labels = training_digits()
        self.images = images.reshape(-1, *case.input_shape)
        self.x = aligned.empty((case.batch_size, *case.input_shape), np.float32)
        self.blas = blas_threads(case.threads)
        self.blas.__enter__()  # for the lifetime of this process, which runs nothing else
        self.network = case.network()
        self.initial = self.network.state()
        self.shards = {count: Shards(self.network, SoftmaxCrossEntropy, count) for count in {1, case.shards}}
        self.parts = self.shards[case.shards]

    def begin(self) -> None:
        """Initial weights, a fresh optimizer, the first batch."""
        self.network.load_state(self.initial)
        self.optimizer = OPTIMIZERS[self.case.optimizer]()
        self.rows = batches(len(self.images), self.case.batch_size)

    def step(self) -> int:
        """One step; returns the batch size."""
        rows = next(self.rows)
        np.take(self.images, rows, axis=0, out=self.x, mode="clip")  # the default mode makes an extra copy
        self.parts.gradients(self.x, self.labels[rows])
        self.optimizer.step(self.network.vector, self.case.learning_rate)
        return self.case.batch_size

    def evidence(self) -> NDArray[np.floating[Any]]:
        """The losses of the first 3 steps, in one shard, because a batch norm in shards is a different function."""
        network, optimizer = self.case.network(np.float64), OPTIMIZERS[self.case.optimizer]()
        losses = []
        with Shards(network, SoftmaxCrossEntropy) as whole:
            for rows in islice(batches(len(self.images), self.case.batch_size), 3):
                loss, _ = whole.gradients(self.images[rows].astype(np.float64), self.labels[rows])
                optimizer.step(network.vector, self.case.learning_rate)
                losses.append(loss)
        return np.array(losses)

    def gemm_share(self, seconds: float) -> float:
        """The share of the time of a step in one shard, 0 to 1, that is spent in matrix products."""
        self.parts = self.shards[1]
        try:
            return _gemm_share(self, seconds)
        finally:
            self.parts = self.shards[self.case.shards]


class OurInference(Contender):
    """A step: one batch of normalized images to logits, on one thread."""

    def __init__(self, case: Case) -> None:
        self.blas = blas_threads(1)
        self.blas.__enter__()  # as above
        images, _ = training_digits()
        x = aligned.empty((case.batch_size, *case.input_shape), np.float32)  # aligned, as in `core.inference.predict`
        x[...] = images[: case.batch_size].reshape(x.shape)
        self.compiled = Compiled(case.network(), x, sliced=slices_suit())

    def begin(self) -> None:
        """Nothing changes from step to step."""

    def step(self) -> int:
        """One forward pass; returns the batch size."""
        return len(self.compiled.forward())

    def evidence(self) -> NDArray[np.floating[Any]]:
        """The logits."""
        return self.compiled.forward()

    def gemm_share(self, seconds: float) -> float:
        """The share of the time of a step, 0 to 1, that is spent in matrix products."""
        products = _Clock(np.matmul)
        steps = self.compiled.steps
        self.compiled.steps = [products.around(step) for step in steps]
        try:
            return products.share(self, seconds)
        finally:
            self.compiled.steps = steps


class _Clock:
    """Wraps a function and measures the time spent in it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._inside = 0.0

    def around(self, step: Step) -> Step:
        """The step with its function replaced by this clock, if it calls that function; otherwise the step itself."""
        if isinstance(step, partial) and step.func is self._function:
            return partial(self, *step.args, **step.keywords)
        return step

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        started = perf_counter()
        result = self._function(*arguments, **options)
        self._inside += perf_counter() - started
        return result

    def share(self, contender: Contender, seconds: float) -> float:
        """The share of the steps' time that is spent in the function, 0 to 1, measured over `seconds` of steps."""
        contender.step()
        self._inside = 0.0
        started = perf_counter()
        while perf_counter() - started < seconds:
            contender.step()
        return self._inside / (perf_counter() - started)


def _gemm_share(contender: Contender, seconds: float) -> float:
    """The share of the time spent in `np.matmul`, which Dense and Conv2D use for all their products."""
    matmul, products = np.matmul, _Clock(np.matmul)
    contender.begin()
    np.matmul = products  # type: ignore[assignment]
    try:
        return products.share(contender, seconds)
    finally:
        np.matmul = matmul
