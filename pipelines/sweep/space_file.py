"""The file of a space: TOML, with a table for each key of the recipe that is to vary."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from pipelines.report.escape import toml
from pipelines.sweep.space import Between, OneOf, Parameter, Space, alike

__all__ = ["read_space"]

_INTERVAL, _CHOICES = ("low", "high", "log", "step"), ("choices",)
_KNOWN = f"{', '.join(_INTERVAL)}; or {', '.join(_CHOICES)}"

_FIXED = {
    "description": "it is free text",
    "promotion": "it decides no weight",
    "train.seed": "luck is no setting; the best are trained with several seeds anyway",
    "train.members": "a sweep trains single networks",
    "model.members": "a sweep trains single networks",
    "data.validation_images": "all trials must be compared on the same images",
    "data.split_seed": "all trials must be compared on the same images",
}
"""Keys that no space may have, and why."""


def read_space(path: Path) -> Space:
    """Read a space.

    Raises:
        ConfigError: There is no such file, or it is no space; the message names the key.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"--space {path}: {error.strerror}; expected a TOML file, see docs/sweeps.md") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--space {path}: not TOML: {error}") from error
    parameters = tuple(_parameters(path.name, document, ""))
    if not parameters:
        wanted = "a table for each key to vary, e.g. [train.learning_rate]"
        raise ConfigError(f"--space {path}: found nothing to vary, expected {wanted}")
    return Space(path.name, parameters)


def _parameters(file: str, table: Mapping[str, Any], prefix: str) -> Iterator[Parameter]:
    for name, entry in table.items():
        key = f"{prefix}{name}"
        if not isinstance(entry, Mapping):
            raise _wrong(file, key, toml(entry), f"a table with {_KNOWN}")
        for fixed, reason in _FIXED.items():
            if key == fixed or key.startswith(f"{fixed}."):
                raise ConfigError(f"{file}: {key} cannot be part of a space: {reason}; remove its table")
        if any(part in entry and not isinstance(entry[part], Mapping) for part in (*_INTERVAL, *_CHOICES)):
            yield _parameter(file, key, entry)
        elif entry:
            yield from _parameters(file, entry, f"{key}.")
        else:
            raise _wrong(file, key, "an empty table", _KNOWN)


def _parameter(file: str, key: str, entry: Mapping[str, Any]) -> Parameter:
    kind = _CHOICES if "choices" in entry else _INTERVAL
    if unknown := [name for name in entry if name not in kind]:
        raise _wrong(file, key, f"the unknown key {unknown[0]}", _KNOWN)
    return _one_of(file, key, entry["choices"]) if kind is _CHOICES else _between(file, key, entry)


def _one_of(file: str, key: str, choices: Any) -> OneOf:
    if not isinstance(choices, list) or not choices:
        raise _wrong(file, f"{key}.choices", toml(choices), "a list of at least one value")
    written = tuple(map(toml, choices))
    for one, other in combinations(written, 2):
        if alike(one, other):
            found = f"{one} twice" if one == other else f"{one} and {other}, which are the same"
            raise _wrong(file, f"{key}.choices", found, "each value once")
    return OneOf(key, written)


def _between(file: str, key: str, entry: Mapping[str, Any]) -> Between:
    for end in ("low", "high"):
        if end not in entry:
            raise _wrong(file, key, f"no {end}", "both low and high")
    for name in ("low", "high", "step"):
        if name in entry and not _is_number(entry[name]):
            raise _wrong(file, f"{key}.{name}", toml(entry[name]), "a number")
    low, high, step, log = entry["low"], entry["high"], entry.get("step"), entry.get("log", False)
    if not isinstance(log, bool):
        raise _wrong(file, f"{key}.log", toml(log), "true or false")
    if low >= high:
        raise _wrong(file, key, f"low = {low} and high = {high}", "low below high")
    if log and (low <= 0 or step is not None):
        found = f"low = {low}" if low <= 0 else f"step = {step}"
        raise _wrong(file, key, f"log = true with {found}", "with log, a low above 0 and no step")
    if step is not None and not 0 < step <= high - low:
        raise _wrong(file, f"{key}.step", str(step), f"a number above 0 and at most {high - low:g}")
    if not all(isinstance(number, int) for number in (low, high, step or 1)):
        low, high = float(low), float(high)
    return Between(key, low, high, log, step)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(file: str, key: str, found: str, wanted: str) -> ConfigError:
    return ConfigError(f"{file}: {key}: found {found}, expected {wanted}")
