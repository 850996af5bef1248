"""`--vary KEY=A,B,C`: the values of one or several keys of a recipe, and every combination of them."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Self

from core.errors import ConfigError
from pipelines.report.escape import toml
from pipelines.study.short_values import LONGEST, shortened
from pipelines.study.variant import Variant, check_shared, check_varied

__all__ = ["MOST", "Axis", "grid"]

MOST = 24
"""Variants of a study: more lines in one chart tell nobody anything."""


_BESIDE_OTHERS = 18
"""Characters of a value's name where each variant is named by several."""


@dataclass(frozen=True)
class Axis:
    """A key that varies, and its values.

    Attributes:
        key: Dotted, e.g. `train.learning_rate`.
        values: As TOML, at least two, all different.
    """

    key: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `KEY=A,B,C`. A value is TOML; one that is not is taken as text, as by `--set`.

        Raises:
            ConfigError: Not of this form, fewer than two values, the same one twice, or a key that cannot vary.
        """
        key, equals, listed = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(f"--vary {text}: expected KEY=A,B,C, e.g. --vary train.learning_rate=0.01,0.1,1")
        check_varied(key)
        values = tuple(map(toml, _values(listed)))
        if len(values) < 2 or len(set(values)) < len(values):
            raise ConfigError(
                f"--vary {text}: found {len(set(values))} different of {len(values)} values, expected two or more, all "
                "different, with commas between them"
            )
        return cls(key, values)


def grid(recipe: str, axes: Sequence[Axis], overrides: Sequence[str] = ()) -> tuple[Variant, ...]:
    """Every combination of the axes' values, the last axis varying fastest.

    Args:
        recipe: What all variants begin with.
        axes: At least one.
        overrides: What all variants share.

    Raises:
        ConfigError: More than `MOST` combinations, the same key twice, or an override of a key that varies.
    """
    check_shared(overrides, [axis.key for axis in axes])
    if repeated := sorted({axis.key for axis in axes if sum(axis.key == other.key for other in axes) > 1}):
        raise ConfigError(f"--vary {repeated[0]}: given twice; name all of its values at once, KEY=A,B,C")
    count = prod(len(axis.values) for axis in axes)
    if count > MOST:
        sizes = " × ".join(str(len(axis.values)) for axis in axes)
        raise ConfigError(f"--vary: {sizes} values make {count} variants, expected at most {MOST}; leave some out")
    return tuple(_variant(recipe, overrides, axes, named) for named in product(*(_named(axis, axes) for axis in axes)))


def _variant(recipe: str, overrides: Sequence[str], axes: Sequence[Axis], named: Sequence[tuple[str, str]]) -> Variant:
    """One combination, of a named value of each axis. What a name leaves out is in the note."""
    values = [(axis, value) for axis, (_, value) in zip(axes, named, strict=True)]
    return Variant(
        name=("; " if any(map(_long, axes)) else ", ").join(name for name, _ in named),
        recipe=recipe,
        overrides=(*overrides, *(f"{axis.key}={value}" for axis, value in values)),
        note="; ".join(f"{axis.key} = {value}" for axis, value in values if _long(axis)),
    )


def _named(axis: Axis, axes: Sequence[Axis]) -> list[tuple[str, str]]:
    """Each value of an axis, behind its name in charts and tables."""
    if _long(axis):
        return list(
            zip(shortened(axis.values, LONGEST if len(axes) == 1 else _BESIDE_OTHERS), axis.values, strict=True)
        )
    key = _short(axis.key, [other.key for other in axes])
    return [(f"{key} {value}", value) for value in axis.values]


def _long(axis: Axis) -> bool:
    """Whether its values are too long to be names: lists of layers, tables of options, sentences."""
    return any(value.startswith(("[", "{")) or len(value) > LONGEST for value in axis.values)


def _short(key: str, keys: Sequence[str]) -> str:
    """The shortest end of a key that no other one has."""
    parts = key.split(".")
    ends = (".".join(parts[at:]) for at in reversed(range(len(parts))))
    return next((end for end in ends if sum(f".{other}".endswith(f".{end}") for other in keys) == 1), key)


def _values(listed: str) -> list[Any]:
    """All as TOML if they can be read so; otherwise, what is between the commas, each as TOML or as text."""
    try:
        return list(tomllib.loads(f"values = [{listed}]")["values"])
    except tomllib.TOMLDecodeError:
        return [_value(text.strip()) for text in listed.split(",")]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
