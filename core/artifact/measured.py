"""What was measured of a version, and what was fitted to it after training, as its manifest records it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from core.artifact.fields import Count, Fraction, Interval, Line, Part, contain
from core.digit import LABELS

__all__ = ["Calibration", "HeldOutAccuracy", "Metrics", "Rejection", "RejectionMetrics", "Robustness", "Share"]

_Images = Annotated[Count, Field(ge=1)]
"""How many images were looked at."""


class _Accuracy(Part):
    """The share of some images that was classified correctly."""

    count: _Images
    accuracy: Fraction
    interval: Interval

    @model_validator(mode="after")
    def _contained(self) -> Self:
        contain(self.interval, self.accuracy)
        return self


class Metrics(_Accuracy):
    """Measures on one set of images; see `core.measure.evaluate.Evaluation`."""

    loss: float = Field(ge=0, le=1e9)
    calibration_error: Fraction
    raw_calibration_error: Fraction | None = Field(None, description="At temperature 1; None in versions without one.")
    per_class: tuple[Fraction, ...] = Field(min_length=len(LABELS), max_length=len(LABELS))
    per_class_intervals: tuple[Interval, ...] = Field((), max_length=len(LABELS))

    @model_validator(mode="after")
    def _each_contained(self) -> Self:
        if self.per_class_intervals:  # empty in older versions
            for interval, accuracy in zip(self.per_class_intervals, self.per_class, strict=True):
                contain(interval, accuracy)
        return self


class Robustness(_Accuracy):
    """The accuracy on corrupted test images; see `core.measure.corruptions`."""

    description: Line


class HeldOutAccuracy(_Accuracy):
    """The accuracy on new data that was held out from training, of one source."""


class Calibration(Part):
    """What the logits are divided by before softmax; see `core.measure.calibration`. Older versions have 1."""

    temperature: float = Field(1.0, ge=0.01, le=100)


class Rejection(Part):
    """When a version says that an image shows no digit; see `core.measure.rejection`.

    With the energy score E = log Σ_k exp(z_k) of the logits z, the digitness of an image, which is the probability
    that it shows a digit at all, is 1 / (1 + exp(−(scale · E + offset))).
    """

    scale: float = Field(gt=0, le=1e30)
    offset: float = Field(ge=-1e30, le=1e30)
    threshold: float = Field(gt=0, lt=1, description="An image with a lower digitness is rejected.")


class Share(Part):
    """The share of some images of which something holds, with its 95% interval."""

    count: _Images
    share: Fraction
    interval: Interval

    @model_validator(mode="after")
    def _contained(self) -> Self:
        contain(self.interval, self.share)
        return self


class RejectionMetrics(Part):
    """Which shares of images are rejected that had no influence on any choice; see `core.measure.rejection`."""

    digits: Share = Field(description="Of the test images, which should not be rejected.")
    drawn_digits: Share | None = Field(None, description="Of drawn digits; None if none were trained on.")
    others: Share = Field(description="Of drawn images that show no digit, which should be.")
