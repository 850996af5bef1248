"""How the data of a training was looked at before, as a manifest records it: which new pictures were trusted, and what
the validation of all of them found.
"""

from typing import Literal

from pydantic import Field

from core.artifact.fields import Count, Digest, Fraction, Line, Name, Part

__all__ = ["Inked", "Trusted", "Validated"]


class Trusted(Part):
    """How new pictures were sorted into those that were trusted and the others; see `pipelines.new_data.trust`."""

    judge: Line | None = Field(description="The network that judged them, which had not seen them; None: none did.")
    judge_sha256: Digest | None = Field(description="Of its weights.")
    offered: Count
    accepted: Count = Field(
        description="How many were trusted: to be trained on or held out, unless validation set all of them aside."
    )
    by_reviewers: Count = Field(description="How many of these a person has accepted.")
    left_out: dict[Name, Count] = Field(max_length=20, description="How many were not trusted, by reason.")
    held_groups: tuple[Line, ...] = Field((), max_length=1000, description="Sources of which nothing was trusted.")


class Inked(Part):
    """Statistics of some images: see `pipelines.new_data.ink`."""

    count: Count
    per_digit: tuple[Count, ...]
    mean: float = Field(ge=0, le=255, description="Mean pixel.")
    blank: Fraction = Field(description="The share of images without ink.")
    full: Fraction = Field(description="The share of images that are mostly ink.")
    stroke: float = Field(ge=0, le=1000, description="Mean stroke width in pixels.")
    repeated: Fraction = Field(description="The share of images that repeat an earlier one.")


class Validated(Part):
    """What the validation of the data found before training; see `pipelines.new_data.validation`."""

    verdict: Literal["passed", "warned", "set aside"] = Field(
        description="set aside: the new pictures were left out as a whole, and the training went on without them."
    )
    findings: tuple[Line, ...] = Field((), max_length=100)
    data_set: Inked = Field(description="Of the data set's training split.")
    new: Inked | None = Field(None, description="Of the new pictures; None if there were none.")
    drift: float | None = Field(
        None, ge=0, description="Population stability index of the new pictures; None if there were too few."
    )
