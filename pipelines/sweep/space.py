"""The space of a sweep: which values of a recipe are tried."""

import hashlib
import json
import math
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import ConfigError
from pipelines.recipe import Recipe, load_recipe
from pipelines.report.escape import toml

__all__ = ["Between", "OneOf", "Parameter", "Space", "Value", "alike"]

Value = int | float | str
"""A number of an interval, or a choice as TOML."""

_COMBINATIONS = 30
"""How many combinations are tried out before anything starts. Making a recipe builds its network, which takes time."""


@dataclass(frozen=True)
class Between:
    """The numbers of an interval, both ends included.

    Attributes:
        key: Of the recipe, with dots.
        low: The lowest number.
        high: The highest.
        log: Whether each power of ten is as likely as any other.
        step: Between neighboring numbers; None for all floats, or for all integers.
    """

    key: str
    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether only integers are meant: low, high and step are."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values to try a recipe with."""
        return self.low, self.high

    def own(self, value: object) -> Value | None:
        """A recipe's value as a trial has it; None if it is none of these numbers."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return None
        steps = (value - self.low) / self.step if self.step else 0
        if not (self.low <= value <= self.high and math.isclose(steps, round(steps), abs_tol=1e-9)):
            return None
        return value if self.whole else float(value)


@dataclass(frozen=True)
class OneOf:
    """One of several values.

    Attributes:
        key: Of the recipe, with dots.
        choices: Each as TOML on one line.
    """

    key: str
    choices: tuple[str, ...]

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values to try a recipe with."""
        return self.choices

    def own(self, value: object) -> Value | None:
        """The choice that says the same as a recipe's value, perhaps in other words; None if there is none."""
        return next((choice for choice in self.choices if value is not None and alike(choice, toml(value))), None)


Parameter = Between | OneOf


@dataclass(frozen=True)
class Space:
    """What a sweep tries.

    Attributes:
        file: Its name, for messages.
        parameters: At least one, in the order of the file, section by section.
    """

    file: str
    parameters: tuple[Parameter, ...]

    @property
    def sha256(self) -> str:
        """Of its meaning: comments and spelling do not count."""
        return hashlib.sha256(json.dumps([asdict(one) for one in self.parameters]).encode()).hexdigest()

    def overrides(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """The values as `--set` takes them, in the order of the file."""
        return tuple(_override(one, values[one.key]) for one in self.parameters)

    def own(self, recipe: Recipe) -> dict[str, Value] | None:
        """The values that a recipe has by itself; None if one of them is not in the space."""
        found: dict[str, Value] = {}
        document = recipe.model_dump(mode="json")
        for one in self.parameters:
            place: Any = document
            for part in one.key.split("."):
                if isinstance(place, list) and part.isdigit() and int(part) < len(place):
                    place = place[int(part)]
                elif isinstance(place, dict) and part in place:
                    place = place[part]
                else:
                    return None
            value = one.own(place)
            if value is None:
                return None
            found[one.key] = value
        return found

    def check(self, recipe: str, overrides: Sequence[str]) -> None:
        """Make recipes of its values: of each end and choice alone, then of thirty combinations of them.

        Raises:
            ConfigError: One of them makes no recipe.
        """
        for one in self.parameters:
            for end in one.ends:
                try:
                    load_recipe(recipe, [*overrides, _override(one, end)])
                except ConfigError as error:
                    raise ConfigError(f"{self.file}: {one.key}: {_shown(one, end)} makes no recipe: {error}") from error
        for values in self._combinations():
            try:
                load_recipe(recipe, [*overrides, *self.overrides(values)])
            except ConfigError as error:
                together = ", ".join(self.overrides(values))
                raise ConfigError(
                    f"{self.file}: the combination {together} makes no recipe: {error}; leave out one of these values"
                ) from error

    def longest(self, recipe: Recipe) -> int:
        """The most epochs that a trial may have."""
        ends = (end for one in self.parameters if one.key == "train.epochs" for end in one.ends)
        return max(map(int, ends), default=recipe.train.epochs)

    def _combinations(self) -> Iterator[dict[str, Value]]:
        """Of ends and choices: all, if there are few; else some that are drawn, the same ones each time."""
        count = math.prod(len(one.ends) for one in self.parameters)
        drawn = random.Random(0).sample(range(count), min(count, _COMBINATIONS))  # noqa: S311 — nothing secret
        for number in drawn:
            values, left = {}, number
            for one in self.parameters:
                left, index = divmod(left, len(one.ends))
                values[one.key] = one.ends[index]
            yield values


def alike(one: str, other: str) -> bool:
    """Whether two values in TOML mean the same: 1 and 1.0 do, and tables whatever the order of their keys."""
    return _same(*(tomllib.loads(f"value = {text}")["value"] for text in (one, other)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):  # which Python takes for numbers
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _override(one: Parameter, value: Value) -> str:
    return f"{one.key}={_shown(one, value)}"


def _shown(one: Parameter, value: Value) -> str:
    return str(value) if isinstance(one, OneOf) else toml(value)
