"""Recipes: a TOML file and its overrides become one frozen object, in which every value has been checked."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core.artifact.trial import Limits
from core.data.augment import augmenter
from core.digit import LABELS, PIXELS
from core.errors import ConfigError
from core.nn.architectures import build
from core.nn.ensemble import Ensemble
from core.nn.losses import LOSSES, OpenSetCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import OPTIMIZERS
from core.optim.schedules import schedule_from
from core.registry import construct
from core.train.training_plan import members
from pipelines.new_data.rules import TrustSection, ValidationSection
from pipelines.overrides import apply_override, changes
from pipelines.settings import ROOT

HELD_OUT_SEED = 1_000_000
"""From this one on, the seeds of drawn images are reserved for those that are only measured and never trained on."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StylesSection(_Section):
    """How many images drawn by code train in addition to MNIST's; see `core.drawing`. By default there are none."""

    digits: int = Field(0, ge=0)  # in writing styles that MNIST lacks
    others: int = Field(0, ge=0)  # that show no digit
    seed: int = Field(0, ge=0, lt=HELD_OUT_SEED)

    @property
    def count(self) -> int:
        """How many images in all."""
        return self.digits + self.others


class DataSection(_Section):
    """Which images train and which validate."""

    validation_images: int = Field(5000, ge=1)
    split_seed: int = Field(0, ge=0)
    styles: StylesSection = StylesSection()
    held_out_share: float = Field(0.1, ge=0, lt=1)  # of new data, never trained on; see `pipelines.new_data.held_out`
    trust: TrustSection = TrustSection()
    validation: ValidationSection = ValidationSection()


class ModelSection(_Section):
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


class TrainSection(_Section):
    """How the network is trained; see `core.train.loop`."""

    seed: int = Field(1, ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    schedule: str | dict[str, Any] = "constant"
    optimizer: dict[str, Any]
    loss: dict[str, Any] = {"kind": "softmax_cross_entropy"}
    clip_norm: float = Field(0, ge=0, allow_inf_nan=False)  # here and below, 0 turns it off: TOML has no null
    ema_decay: float = Field(0, ge=0, lt=1)
    augment: tuple[dict[str, Any], ...] = ()
    workers: int = Field(1, ge=0)
    patience: int = Field(0, ge=0)
    keep_best: bool = False
    diagnose_every: int = Field(0, ge=0)
    shards: int = Field(1, ge=1)
    threads: int = Field(1, ge=1)
    members: int = Field(1, ge=1, le=100)  # networks of each structure, trained one after another with the next seeds

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


class PromotionSection(_Section):
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


class Recipe(_Section):
    """Everything that decides what is trained."""

    description: str = ""
    data: DataSection = DataSection()
    model: ModelSection
    train: TrainSection
    promotion: PromotionSection = PromotionSection()

    @model_validator(mode="after")
    def _can_tell_what_is_no_digit(self) -> Self:
        if not self.data.styles.others:
            return self
        found = f"data.styles.others = {self.data.styles.others}: images that show no digit need"
        if not isinstance(construct(LOSSES, self.train.loss), OpenSetCrossEntropy):
            raise ConfigError(f"{found} train.loss.kind = open_set_cross_entropy, not {self.train.loss['kind']}")
        if self.layers[-1]["kind"] == Ensemble.kind:
            raise ConfigError(
                f"{found} a single network: the outputs of an ensemble are logarithms of probabilities, which sum to 1 "
                "for every image and cannot say whether it shows a digit"
            )
        return self

    def members(self) -> "tuple[Recipe, ...]":
        """The networks to train, each as a recipe of its own; these differ only in their structure and seed."""
        return tuple(
            self.model_copy(
                update={
                    "model": self.model.model_copy(update={"layers": layers, "members": ()}),
                    "train": self.train.model_copy(update={"members": 1, "seed": seed}),
                }
            )
            for seed, layers in members(self.model.structures, self.train.members, self.train.seed)
        )

    @property
    def layers(self) -> tuple[dict[str, Any], ...]:
        """The structure of what is published: of the network, or of the ensemble as one layer."""
        structures = [list(member.model.layers) for member in self.members()]
        if len(structures) == 1:
            return tuple(structures[0])
        return ({"kind": Ensemble.kind, "members": structures},)

    def build(self, rng: np.random.Generator) -> Sequential:
        """A new network with these `layers` and random weights."""
        return build(self.model.input_shape, self.layers, rng=rng)


def recipe_path(name: str) -> Path:
    """The file of a recipe: a name in `recipes/`, or the path of any TOML file.

    Raises:
        ConfigError: There is no such file.
    """
    path = Path(name) if name.endswith(".toml") else ROOT / "recipes" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in (ROOT / "recipes").glob("*.toml")))
        raise ConfigError(f"no recipe {name!r}; known: {known}; or give the path of a .toml file")
    return path


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Args:
        name: A name in `recipes/`, or the path of a TOML file.
        overrides: `key=value`, applied in order; see `pipelines.overrides`. If they change what is trained, and
            not the description, the names of the changes take its place.

    Raises:
        ConfigError: An unknown key (the message lists the known ones) or an impossible value.
    """
    path = recipe_path(name)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: not TOML: {error}") from error
    as_in_file = deepcopy(document)
    for override in overrides:
        apply_override(document, override)
    recipe = _checked(path.stem, document)
    if document == as_in_file or document.get("description") != as_in_file.get("description"):
        return recipe
    before = _checked(path.stem, as_in_file).model_dump(exclude={"promotion"})
    names = changes(before, recipe.model_dump(exclude={"promotion"}))
    # The file's own description may not be true of the recipe any more.
    return recipe.model_copy(update={"description": f"With other {', '.join(names)}"}) if names else recipe


def _checked(name: str, document: dict[str, Any]) -> Recipe:
    try:
        return Recipe.model_validate(document)
    except ConfigError as error:
        raise ConfigError(f"recipe {name}: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"recipe {name}: {_first_finding(error)}") from error


def _first_finding(error: ValidationError) -> str:
    finding = error.errors()[0]
    place = ".".join(str(part) for part in finding["loc"])
    if finding["type"] != "extra_forbidden":
        return f"{place}: {finding['msg']}, found {finding['input']!r}"
    section: Any = Recipe
    for part in finding["loc"][:-1]:
        section = section.model_fields[str(part)].annotation
    return f"unknown key {place}; known: {', '.join(section.model_fields)}"
