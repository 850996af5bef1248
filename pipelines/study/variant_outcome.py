"""`Outcome`: what came of the training of one variant, as it is kept."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from core.measure.evaluate import wilson_interval
from core.train.report import EpochReport
from pipelines.report.diagnosis import CHANCE, Finding, diagnose
from pipelines.report.formats import number

__all__ = ["Outcome"]


_SURE = 5
"""A network whose first loss is this many times that of guessing is sure of what it cannot know."""


class Outcome(BaseModel):
    """How one variant trained.

    Attributes:
        history: Its epochs, in order; of a training that diverged, those that were whole.
        initial_loss: The validation loss before the first step, in nats.
        initial_accuracy: The validation accuracy then, 0 to 1.
        parameters: How many numbers it learns.
        seconds: For training alone.
        images: How many it was trained on.
        validation_images: How many the accuracy is measured on.
        diverged: Where its numbers ceased to be finite, and what was so first; None if they never did.
        kept_epoch: Whose weights are left at the end, from 1; 0 if no epoch was whole.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    history: tuple[EpochReport, ...]
    initial_loss: float
    initial_accuracy: float
    parameters: int
    seconds: float
    images: int
    validation_images: int
    diverged: str | None = None
    kept_epoch: int = 0

    @property
    def kept(self) -> EpochReport | None:
        """The epoch whose weights are left; None if it diverged."""
        return None if self.diverged or not self.history else self.history[self.kept_epoch - 1]

    @property
    def accuracy(self) -> float | None:
        """Of the validation, 0 to 1; None if it diverged."""
        return self.kept.validation_accuracy if self.kept else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% Wilson interval of the accuracy."""
        if self.accuracy is None:
            return None
        return wilson_interval(round(self.accuracy * self.validation_images), self.validation_images)

    @property
    def images_per_second(self) -> float | None:
        """Mean over the whole epochs; None if there is none."""
        seconds = sum(report.seconds for report in self.history)
        return self.images * len(self.history) / seconds if seconds else None

    @property
    def idle(self) -> float | None:
        """The share of idle units at the last look, in the layer that has the most; None if nothing was measured."""
        looks = [step for report in self.history for step in report.diagnostics]
        last = looks[-1].layers if looks else ()
        return max((layer.idle for layer in last if layer.idle is not None), default=None)

    @property
    def findings(self) -> Sequence[Finding]:
        """What is wrong with it, the gravest first; nothing if it trained well."""
        if self.diverged:
            before = (
                f" Even before the first step the loss was {number(self.initial_loss, 2)}, where guessing gives "
                f"{number(CHANCE)}: the initial weights are too large."
                if not self.initial_loss < _SURE * CHANCE
                else ""
            )
            return (Finding("diverged", f"{self.diverged[0].upper()}{self.diverged[1:]}.{before}"),)
        return diagnose(self.history)
