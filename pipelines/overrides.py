"""`--set KEY=VALUE`: one value of a recipe replaced, before the recipe is checked."""

import tomllib
from collections.abc import Mapping
from typing import Any

from core.errors import ConfigError


def apply_override(document: dict[str, Any], override: str) -> None:
    """Set one value in a parsed recipe.

    Args:
        document: The recipe as TOML tables, changed in place.
        override: `key=value`, with a dotted key (`train.epochs=5`, `model.layers.0.units=256`) and a TOML value; a
            value that is not TOML is taken as text.

    Raises:
        ConfigError: Not of this form, or a key that cannot exist. Keys that the recipe does not know are found later,
            when it is checked as a whole.
    """
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {override}: expected KEY=VALUE, e.g. --set train.epochs=5")
    place: Any = document
    for part in parts[:-1]:
        place = _step_into(place, part, override)
    last = parts[-1]
    if isinstance(place, dict):
        place[last] = _value(text)
    else:
        _step_into(place, last, override)  # raises unless `place` is a list that has this item
        place[int(last)] = _value(text)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The dotted names of the values of two recipes that differ, two levels deep: `model.layers`, `train.epochs`."""
    return [
        f"{section}.{key}"
        for section, entries in now.items()
        if isinstance(entries, Mapping)
        for key, value in entries.items()
        if value != before[section][key]
    ]


def _step_into(place: Any, part: str, override: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list) and part.isdigit() and int(part) < len(place):
        return place[int(part)]
    known = f"0 to {len(place) - 1}" if isinstance(place, list) else "nothing below a plain value"
    raise ConfigError(f"--set {override}: unknown key {part!r}; known: {known}")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
