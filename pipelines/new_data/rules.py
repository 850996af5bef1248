"""The rules that data has to pass before it is trained on, as a recipe states them. They do not decide the weights."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrustSection(_Rules):
    """Which new pictures are trained on; see `pipelines.new_data.trust`. The caps are shares of the training images."""

    judge: Literal["pretrained", "trained", "none"] = "pretrained"  # trained: a small network, on MNIST alone
    contradicted_below: float = Field(0.1, ge=0, le=1)  # the probability that the judge gives to the digit claimed
    source_share: float = Field(0.1, ge=0, le=1)  # of wrong pictures, above which a source is held as a whole
    cap: float = Field(0.2, ge=0, allow_inf_nan=False)  # of all new pictures
    source_cap: float = Field(0.1, ge=0, allow_inf_nan=False)  # of those from one source
    digit_cap: float = Field(0.04, ge=0, allow_inf_nan=False)  # of those of one digit: twice an even share of `cap`


class ValidationSection(_Rules):
    """What is expected of the data before training; see `pipelines.new_data.validation`."""

    rarest_digit: float = Field(0.02, ge=0, le=1)  # share of the rarest digit; MNIST's is 0.09
    ink: tuple[float, float] = (10.0, 100.0)  # mean pixel; MNIST's is 33, that of people's brushes up to 60
    most_blank: float = Field(0.01, ge=0, le=1)  # share of images that are empty or filled with ink
    most_repeated: float = Field(0.01, ge=0, le=1)  # share of images that repeat another
    most_drift: float = Field(0.25, ge=0)  # population stability index; above it, much has changed (Siddiqi 2006)
