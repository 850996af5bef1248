"""What is reported of an epoch."""

from dataclasses import dataclass

from core.train.diagnostics import StepDiagnostics


@dataclass(frozen=True)
class EpochReport:
    """What one pass over the training images did.

    Attributes:
        epoch: From 1.
        epochs: How many are planned.
        train_loss: Mean over the epoch's images, in nats; each batch is measured before its own update.
        train_accuracy: Likewise, 0 to 1; what counts as correct is the loss's `predicted`, which may know a label for
            images that show no digit.
        validation_loss: After the epoch, in nats.
        validation_accuracy: After the epoch, 0 to 1.
        learning_rate: Of the epoch's last step.
        seconds: Time for training, without validation.
        images_per_second: Training images per second.
        stopped: Why training ends with this epoch although more were planned; None otherwise.
        diagnostics: Measures of every n-th step, where the plan asks for them.
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
