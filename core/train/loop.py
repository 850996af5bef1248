"""Mini-batch gradient descent: the whole of training on one screen.

`fit` is a generator of epoch reports. Its caller shows progress, saves checkpoints or stops early; the loop knows none
of that.
"""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from core.data.batches import Batches
from core.kernels.blas import blas_threads
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.clip import clip_by_norm
from core.train.diagnostics import Inspector, steps_between
from core.train.divergence import check_gradient, check_loss, check_validation_loss, check_weights
from core.train.report import EpochReport
from core.train.shards import Shards
from core.train.stopping import gave_up
from core.train.training import Training
from core.train.training_plan import TrainingPlan


def fit(training: Training, train: Batches, validation: Batches, plan: TrainingPlan) -> Iterator[EpochReport]:
    """Train the network in place and report after every epoch.

    The same plan, seed and data give bit-identical weights. So does a training that was stopped after an epoch and is
    resumed with the state that it had then.

    With an average, the network holds the averaged weights at each report: they are what was measured, and what is
    left at the end. The next epoch swaps them out again. With `keep_best`, the network holds the weights of the best
    epoch once the generator is exhausted.

    Args:
        training: What is trained, at its beginning or after any epoch. The network's last layer gives logits.
        train: Shuffled batches.
        validation: Batches that are only measured.
        plan: How to train.

    Raises:
        DivergenceError: The loss or a parameter is no longer finite.
    """
    with Shards(training.network, plan.loss, plan.shards) as shards:
        while not training.ended(plan):
            # BLAS threads and NumPy's warnings are the caller's own again at the yield. Overflow causes no warning
            # here, because it ends in a DivergenceError, which says more.
            with blas_threads(plan.threads), np.errstate(over="ignore", invalid="ignore"):
                report = _epoch(training, shards, train, validation, plan)
            training.reports.append(report)
            yield report
    if training.best is not None:
        training.best.restore(training.network)


def _epoch(training: Training, shards: Shards, train: Batches, validation: Batches, plan: TrainingPlan) -> EpochReport:
    """One pass over the training images, a step of the weights for each batch; then the validation."""
    network, average, losses = training.network, training.average, training.validation_losses
    epoch, steps = len(losses) + 1, plan.epochs * len(train)
    every = steps_between(plan.diagnose_every, steps=steps, parameters=network.vector.value.size)
    inspector = Inspector(network, every)
    total_loss, correct, rate = 0.0, 0, plan.learning_rate
    if average is not None and average.swapped:
        average.swap(network.vector)
    started = perf_counter()
    for step, (x, labels) in enumerate(train, start=len(losses) * len(train)):
        loss, right = shards.gradients(x, labels)  # forward, loss, backward
        check_loss(loss, network, x, step=step, rate=rate)
        total_loss += loss * len(labels)
        correct += right
        rate = plan.rate(step, steps, losses)
        with inspector.around(step, x):
            if plan.clip_norm:
                check_gradient(clip_by_norm(network.vector, plan.clip_norm), network, step=step, rate=rate)
            training.optimizer.step(network.vector, rate)
        if average is not None:
            average.update(network.vector)
    seconds = perf_counter() - started
    if average is not None:
        average.swap(network.vector)
    check_weights(network, step=step, rate=rate)
    validation_loss, validation_accuracy = measure(network, validation)
    check_validation_loss(validation_loss, network, validation, step=step, rate=rate)
    if training.best is not None:
        training.best.offer(network, epoch, validation_loss)
    return EpochReport(
        epoch=epoch,
        epochs=plan.epochs,
        train_loss=total_loss / train.images,
        train_accuracy=correct / train.images,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        learning_rate=rate,
        seconds=seconds,
        images_per_second=train.images / seconds,
        stopped=gave_up([*losses, validation_loss], plan.patience) if epoch < plan.epochs else None,
        diagnostics=tuple(inspector.found),
    )


def measure(network: Sequential, batches: Batches) -> tuple[float, float]:
    """Mean loss (nats) and accuracy (0 to 1) of `network` as it is, changing nothing."""
    loss = SoftmaxCrossEntropy()
    total_loss, correct = 0.0, 0
    for x, labels in batches:
        logits = network.forward(x)
        total_loss += loss.forward(logits, labels) * len(labels)
        correct += int(np.count_nonzero(logits.argmax(axis=1) == labels))
    return total_loss / batches.images, correct / batches.images
