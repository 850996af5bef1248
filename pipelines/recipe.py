"""Recipes: a TOML file and its overrides become one frozen object, in which every value has been checked."""

import tomllib
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from pydantic import ValidationError, model_validator

from core.errors import ConfigError
from core.nn.architectures import build
from core.nn.ensemble import Ensemble
from core.nn.losses import LOSSES, OpenSetCrossEntropy
from core.nn.sequential import Sequential
from core.registry import construct
from core.shipped import shipped
from core.train.training_plan import members
from pipelines.overrides import apply_override, changes
from pipelines.sections import DataSection, ModelSection, PromotionSection, Section, TrainSection


class Recipe(Section):
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
    folder = shipped("recipes")
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
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
        kind = section.model_fields[str(part)].annotation
        section = next((one for one in get_args(kind) if one is not type(None)), kind)  # of one that may be left out
    return f"unknown key {place}; known: {', '.join(section.model_fields)}"
