"""Mini-batch gradient descent, as a generator of epoch reports.

Whoever consumes the generator shows progress, keeps checkpoints or stops early: the loop knows none of that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from core.data.batches import Batches
from core.errors import DivergenceError
from core.nn.losses import Loss, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.average import ExponentialAverage
from core.optim.clip import clip_by_norm
from core.optim.optimizers import Optimizer
from core.optim.schedules import Schedule
from core.train.shards import Shards


@dataclass(frozen=True)
class EpochReport:
    """What one pass over the training images did.

    Attributes:
        epoch: From 1.
        epochs: How many there will be.
        train_loss: Mean over the epoch's batches, in nats, each measured before its own update.
        train_accuracy: Likewise, 0 to 1.
        validation_loss: In nats, after the epoch.
        validation_accuracy: 0 to 1, after the epoch.
        learning_rate: Of the epoch's last step.
        seconds: Time for training, without validation.
        images_per_second: Training images a second.
    """

    epoch: int
    epochs: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


def fit(
    network: Sequential,
    optimizer: Optimizer,
    train: Batches,
    validation: Batches,
    *,
    epochs: int,
    learning_rate: float,
    schedule: Schedule,
    clip_norm: float | None = None,
    average: ExponentialAverage | None = None,
    history: Sequence[EpochReport] = (),
    loss: Callable[[], Loss] = SoftmaxCrossEntropy,
    shards: int = 1,
    threads: int | None = None,
) -> Iterator[EpochReport]:
    """Train `network` in place and report after every epoch.

    The same seed, data, shards and threads give bit-identical weights. So does a training that was stopped after an
    epoch and is resumed with the states of network, optimizer, average and random generators, and the reports so far.

    With an average, the network holds the averaged weights at each report: they are what was measured, and what is
    left at the end. The next epoch swaps them out again.

    Args:
        network: The network; its last layer gives logits.
        optimizer: The update rule.
        train: Shuffled batches.
        validation: Batches that are only measured.
        epochs: Passes over the training images.
        learning_rate: The base that `schedule` multiplies.
        schedule: Factor for each step.
        clip_norm: Longest gradient that the optimizer is given; None leaves all as they are.
        average: Running average of the weights, taken after each step; None takes none.
        history: Reports of the epochs that are done already.
        loss: What is minimized; validation always measures the plain cross-entropy.
        shards: Parts of a batch that are computed at once, each by a thread of its own: see `core.train.shards`.
        threads: BLAS threads of each; None leaves NumPy's own choice.

    Raises:
        DivergenceError: The loss or a parameter is no longer finite.
    """
    steps = epochs * len(train)
    losses = [report.validation_loss for report in history]

    def update(step: int) -> float:
        """One step of the weights against their gradient; returns its learning rate."""
        if clip_norm is not None:
            clip_by_norm(network.vector, clip_norm)
        rate = learning_rate * schedule(step, steps, losses)
        optimizer.step(network.vector, rate)
        if average is not None:
            average.update(network.vector)
        return rate

    with Shards(network, loss, shards) as parts:
        for epoch in range(len(losses) + 1, epochs + 1):
            # Both end before the yield: the consumer's threads and warnings are its own. Overflow is not warned of,
            # because it ends in a DivergenceError, which says more.
            with threadpool_limits(threads, user_api="blas"), np.errstate(over="ignore", invalid="ignore"):
                if average is not None and average.swapped:
                    average.swap(network.vector)
                started = perf_counter()
                first_step = (epoch - 1) * len(train)
                train_loss, accuracy, rate = _epoch(network, parts, train, first_step, learning_rate, update)
                seconds = perf_counter() - started
                if average is not None:
                    average.swap(network.vector)
                validation_loss, validation_accuracy = measure(network, validation)
            if not (isfinite(validation_loss) and np.isfinite(network.vector.value).all()):  # the last update broke it
                found = f"after step {first_step + len(train) - 1}: the validation loss is {validation_loss}"
                raise DivergenceError(_diagnosis(network, found, rate))
            losses.append(validation_loss)
            yield EpochReport(
                epoch=epoch,
                epochs=epochs,
                train_loss=train_loss,
                train_accuracy=accuracy,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
                learning_rate=rate,
                seconds=seconds,
                images_per_second=train.images / seconds,
            )


def _epoch(
    network: Sequential,
    parts: Shards,
    train: Batches,
    first_step: int,
    rate: float,
    update: Callable[[int], float],
) -> tuple[float, float, float]:
    """One pass; returns mean loss, accuracy, and the last step's learning rate."""
    total_loss, correct = 0.0, 0
    for step, (x, labels) in enumerate(train, start=first_step):
        batch_loss, right = parts.gradients(x, labels)
        if not isfinite(batch_loss):
            raise DivergenceError(_diagnosis(network, f"step {step}: the loss is {batch_loss}", rate))
        rate = update(step)
        total_loss += batch_loss * len(labels)
        correct += right
    return total_loss / train.images, correct / train.images, rate


def measure(network: Sequential, batches: Batches) -> tuple[float, float]:
    """Mean loss (nats) and accuracy (0 to 1) of `network` as it is, changing nothing."""
    loss = SoftmaxCrossEntropy()
    total_loss, correct = 0.0, 0
    for x, labels in batches:
        logits = network.forward(x)
        total_loss += loss.forward(logits, labels) * len(labels)
        correct += int(np.count_nonzero(logits.argmax(axis=1) == labels))
    return total_loss / batches.images, correct / batches.images


def _diagnosis(network: Sequential, found: str, rate: float) -> str:
    """Name the first parameter that is no longer finite, or else the largest: the layer where the numbers ran away."""
    size = {name: float(np.abs(p.value).max()) for name, p in network.named_parameters()}
    broken = next((name for name in size if not isfinite(size[name])), None)
    largest = max(size, key=size.__getitem__)
    where = f"{broken} is no longer finite" if broken else f"the largest weight is {size[largest]:.2g}, in {largest}"
    return f"{found} (learning rate {rate:g}); {where}. Try a smaller train.learning_rate"
