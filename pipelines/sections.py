"""The sections of a recipe: its keys, what each may be, and its default."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.artifact.trial import Limits
from core.data.augment import augmenter
from core.data.normalize import Normalization
from core.digit import LABELS, PIXELS
from core.errors import ConfigError
from core.nn.architectures import build
from core.nn.losses import LOSSES, TAUGHT
from core.optim.optimizers import OPTIMIZERS
from core.optim.schedules import schedule_from
from core.registry import construct
from pipelines.new_data.rules import TrustSection, ValidationSection
from pipelines.teacher_section import TeacherSection

HELD_OUT_SEED = 1_000_000
"""From this one on, the seeds of drawn images are reserved for those that are only measured and never trained on."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StylesSection(Section):
    """How many images drawn by code train in addition to MNIST's; see `core.drawing`. By default there are none."""

    digits: int = Field(0, ge=0)  # in writing styles that MNIST lacks
    others: int = Field(0, ge=0)  # that show no digit
    seed: int = Field(0, ge=0, lt=HELD_OUT_SEED)

    @property
    def count(self) -> int:
        """How many images in all."""
        return self.digits + self.others


class DataSection(Section):
    """Which images train and which validate."""

    validation_images: int = Field(5000, ge=1)
    split_seed: int = Field(0, ge=0)
    normalize: Normalization = "standard"  # see `core.data.normalize`
    styles: StylesSection = StylesSection()
    held_out_share: float = Field(0.1, ge=0, lt=1)  # of new data, never trained on; see `pipelines.new_data.held_out`
    trust: TrustSection = TrustSection()
    validation: ValidationSection = ValidationSection()


class ModelSection(Section):
    """The network's structure; see `core.nn.architectures`.

    `layers` describes one network, or all members of an ensemble alike; `members` gives each member its own layers.
    """

    input_shape: tuple[int, ...]
    layers: tuple[dict[str, Any], ...] = ()
    members: tuple[tuple[dict[str, Any], ...], ...] = ()

    @model_validator(mode="after")
    def _builds(self) -> Self:
        if int(np.prod(self.input_shape)) != PIXELS:
            raise ConfigError(f"input_shape {list(self.input_shape)}: expected {PIXELS} pixels in all")
        if bool(self.layers) == bool(self.members):
            found = "both layers and members" if self.layers else "neither layers nor members"
            raise ConfigError(f"model: {found}, expected layers for one network, or members: one list of layers each")
        for number, layers in enumerate(self.structures):
            where = f"member {number}: " if self.members else ""
            try:
                network = build(self.input_shape, layers, rng=np.random.default_rng(0))
            except ConfigError as error:
                raise ConfigError(f"{where}{error}") from error
            if network.output_shape != (len(LABELS),):
                shape = f"{network.output_shape}, expected ({len(LABELS)},)"
                raise ConfigError(f"{where}the last layer gives {shape}: one per digit")
        return self

    @property
    def structures(self) -> tuple[tuple[dict[str, Any], ...], ...]:
        """The layers of each network that is described: of the only one, or of every member."""
        return self.members or (self.layers,)


class TrainSection(Section):
    """How the network is trained; see `core.train.loop`."""

    seed: int = Field(1, ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    schedule: str | dict[str, Any] = "constant"
    optimizer: dict[str, Any]
    loss: dict[str, Any] = {"kind": "softmax_cross_entropy"}
    teacher: TeacherSection | None = None
    clip_norm: float = Field(0, ge=0, allow_inf_nan=False)  # here and below, 0 turns it off: TOML has no null
    ema_decay: float = Field(0, ge=0, lt=1)
    augment: tuple[dict[str, Any], ...] = ()
    workers: int = Field(1, ge=0)
    patience: int = Field(0, ge=0)
    keep_best: bool = False
    diagnose_every: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    shards: int = Field(1, ge=1)
    threads: int = Field(1, ge=1)
    members: int = Field(1, ge=1, le=100)  # networks of each structure, trained one after another with the next seeds

    @model_validator(mode="after")
    def _can_be_taught(self) -> Self:
        if self.teacher and self.loss["kind"] not in TAUGHT:
            raise ConfigError(
                f"train.teacher with train.loss.kind = {self.loss['kind']}: expected {' or '.join(sorted(TAUGHT))}, "
                "whose outputs are logits as the teacher's are"
            )
        return self

    @field_validator("schedule", mode="before")
    @classmethod
    def _schedule_builds(cls, value: Any) -> Any:
        if not isinstance(value, str | Mapping):
            raise ConfigError(f"train.schedule: found {value!r}, expected a name or {{ kind = …, … }}")
        schedule_from(value)
        return value

    @field_validator("optimizer")
    @classmethod
    def _optimizer_builds(cls, value: dict[str, Any]) -> dict[str, Any]:
        construct(OPTIMIZERS, value)
        return value

    @field_validator("augment")
    @classmethod
    def _augmenter_builds(cls, value: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        augmenter(value)
        return value

    @field_validator("loss")
    @classmethod
    def _loss_builds(cls, value: dict[str, Any]) -> dict[str, Any]:
        construct(LOSSES, value)
        return value


class TrialSection(Limits):
    """What a version must keep within when a service tries it; see `pipelines.promotion.infra`."""

    model_config = ConfigDict(extra="forbid")


class CanarySection(Section):
    """How long a version is a canary before it is champion, and how much worse it may do; see `pipelines.canary`.

    A rise is how much higher a share may be than the champion's: so much must be shown with `promotion.confidence`.
    """

    pictures: int = Field(1000, ge=1, le=10**9)  # that it must have answered
    minutes: float = Field(60.0, ge=0, le=525_600)  # for which it must have been a canary
    longest_minutes: float = Field(4320.0, ge=0, le=525_600)  # after which a newer version may take its place
    max_failure_rise: float = Field(0.02, ge=0, le=1)
    max_rejection_rise: float = Field(0.05, ge=0, le=1)
    max_disagreement: float = Field(0.2, ge=0, le=1)  # share in which it reads otherwise, where it is a shadow as well

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.longest_minutes < self.minutes:
            raise ConfigError(
                f"promotion.canary: longest_minutes = {self.longest_minutes:g}, expected at least minutes = "
                f"{self.minutes:g}"
            )
        return self


class PromotionSection(Section):
    """When a version may become champion; see `pipelines.promotion.gate`.

    A drop is how much lower a share may be than that of an earlier version: so much must be shown with `confidence`.
    """

    min_accuracy: float = Field(0.9, ge=0, le=1)
    min_digit_accuracy: float = Field(0.8, ge=0, le=1)  # of the digit that is read worst
    max_calibration_error: float = Field(0.03, ge=0, le=1)
    confidence: float = Field(0.95, ge=0.5, le=0.99)
    max_accuracy_drop: float = Field(0.005, ge=0, le=1)
    max_digit_drop: float = Field(0.04, ge=0, le=1)  # of each digit alone
    max_robustness_drop: float = Field(0.15, ge=0, le=1)  # under each of `core.measure.corruptions.CORRUPTIONS`
    max_handwriting_drop: float = Field(0.05, ge=0, le=1)  # on labeled pictures that nobody trains on
    max_growth: float = Field(30.0, gt=0, allow_inf_nan=False)  # parameters, as a multiple of the champion's
    trial: TrialSection = TrialSection()
    canary: CanarySection = CanarySection()
