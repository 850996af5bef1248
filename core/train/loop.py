"""Mini-batch gradient descent, as a generator of epoch reports.

Whoever consumes the generator shows progress, keeps checkpoints or stops early: the loop knows none of that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from time import perf_counter

import numpy as np

from core.data.batches import Batches
from core.kernels.arrays import Array
from core.kernels.blas import blas_threads
from core.nn.losses import Loss, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.average import ExponentialAverage
from core.optim.clip import clip_by_norm
from core.optim.optimizers import Optimizer
from core.optim.schedules import Schedule
from core.train.diagnostics import StepDiagnostics, compare, look
from core.train.divergence import broken_forward, broken_gradient, broken_update, broken_weights
from core.train.shards import Shards
from core.train.stopping import BestWeights, gave_up


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
        stopped: Why no epoch follows, though more were planned; None where one does, or none was.
        diagnostics: Of every n-th step, if asked for.
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
    stopped: str | None = None
    diagnostics: tuple[StepDiagnostics, ...] = ()


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
    patience: int = 0,
    best: BestWeights | None = None,
    diagnose_every: int = 0,
    history: Sequence[EpochReport] = (),
    loss: Callable[[], Loss] = SoftmaxCrossEntropy,
    shards: int = 1,
    threads: int | None = None,
) -> Iterator[EpochReport]:
    """Train `network` in place and report after every epoch.

    The same seed, data, shards and threads give bit-identical weights. So does a training that was stopped after an
    epoch and is resumed with all that `core.train.checkpoint.Training` lists.

    With an average, the network holds the averaged weights at each report: they are what was measured, and what is
    left at the end. The next epoch swaps them out again. With `best`, the network holds the weights of the best epoch
    once the last report was taken and the next one asked for.

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
        patience: Stop after so many epochs in a row without a lower validation loss; 0 never does. The schedule is one
            over the planned epochs all the same.
        best: Keeps the weights of the epoch with the lowest validation loss, and gives them back at the end.
        diagnose_every: Look into the network at every so many steps; 0 never does.
        history: Reports of the epochs that are done already.
        loss: What is minimized; validation always measures the plain cross-entropy.
        shards: Parts of a batch that are computed at once, each by a thread of its own: see `core.train.shards`.
        threads: BLAS threads of each; None leaves NumPy's own choice.

    Raises:
        DivergenceError: The loss or a parameter is no longer finite.
    """
    steps = epochs * len(train)
    losses = [report.validation_loss for report in history]
    stopped = gave_up(losses, patience)
    diagnostics: list[StepDiagnostics] = []

    def update(step: int, x: Array) -> float:
        """One step of the weights against their gradient for the batch x; returns its learning rate."""
        before = look(network, x) if diagnose_every and step % diagnose_every == 0 else None
        rate = learning_rate * schedule(step, steps, losses)
        if clip_norm is not None and not isfinite(clip_by_norm(network.vector, clip_norm)):
            raise broken_gradient(network, step=step, rate=rate)
        optimizer.step(network.vector, rate)
        if average is not None:
            average.update(network.vector)
        if before is not None:
            diagnostics.append(compare(before, network, step))
        return rate

    with Shards(network, loss, shards) as parts:
        while len(losses) < epochs and not stopped:
            # Both end before the yield: the consumer's threads and warnings are its own. Overflow is not warned of,
            # because it ends in a DivergenceError, which says more.
            with blas_threads(threads), np.errstate(over="ignore", invalid="ignore"):
                if average is not None and average.swapped:
                    average.swap(network.vector)
                started = perf_counter()
                first_step = len(losses) * len(train)
                train_loss, accuracy, rate = _epoch(network, parts, train, first_step, learning_rate, update)
                seconds = perf_counter() - started
                if average is not None:
                    average.swap(network.vector)
                validation_loss, validation_accuracy = _validate(network, validation, first_step + len(train) - 1, rate)
            losses.append(validation_loss)
            epoch = len(losses)
            stopped = gave_up(losses, patience)
            if best is not None:
                best.offer(network, epoch, validation_loss)
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
                stopped=stopped if epoch < epochs else None,
                diagnostics=tuple(diagnostics),
            )
            diagnostics.clear()
    if best is not None:
        best.restore(network)


def _epoch(
    network: Sequential,
    parts: Shards,
    train: Batches,
    first_step: int,
    rate: float,
    update: Callable[[int, Array], float],
) -> tuple[float, float, float]:
    """One pass; returns mean loss, accuracy, and the last step's learning rate."""
    total_loss, correct = 0.0, 0
    for step, (x, labels) in enumerate(train, start=first_step):
        batch_loss, right = parts.gradients(x, labels)
        if not isfinite(batch_loss):
            raise broken_forward(network, [x], step=step, loss=batch_loss, rate=rate)
        rate = update(step, x)
        total_loss += batch_loss * len(labels)
        correct += right
    return total_loss / train.images, correct / train.images, rate


def _validate(network: Sequential, validation: Batches, step: int, rate: float) -> tuple[float, float]:
    """Measure the network after the epoch that ended with this step, and refuse what is not finite."""
    if broken_weights(network):  # by the last update, or before it, hidden by an activation
        raise broken_update(network, step=step, rate=rate)
    found = measure(network, validation)
    if not isfinite(found[0]):
        inputs = (x for x, _ in validation)
        raise broken_forward(network, inputs, step=step, loss=found[0], rate=rate, training=False)
    return found


def measure(network: Sequential, batches: Batches) -> tuple[float, float]:
    """Mean loss (nats) and accuracy (0 to 1) of `network` as it is, changing nothing."""
    loss = SoftmaxCrossEntropy()
    total_loss, correct = 0.0, 0
    for x, labels in batches:
        logits = network.forward(x)
        total_loss += loss.forward(logits, labels) * len(labels)
        correct += int(np.count_nonzero(logits.argmax(axis=1) == labels))
    return total_loss / batches.images, correct / batches.images
