"""What differs in how two versions were made: data, recipe, code, machine. And by how much they differ in what they do.

Values are compared by their place in the manifest. What is different in every version (its number, the moment, the
digests of its files) and follows from the rest is left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from core.artifact.manifest import WEIGHTS, Manifest
from pipelines.report.escape import toml

__all__ = ["Change", "Part", "changes"]

Part = Literal["data", "recipe", "code", "environment", "network", "measures"]

_ABSENT = object()


class Change(NamedTuple):
    """One value that differs.

    Attributes:
        part: Of what.
        key: Its place there, dotted, as `--set` takes it for the recipe.
        before: In the first version, as TOML; None if it is not there.
        after: In the second one.
    """

    part: Part
    key: str
    before: str | None
    after: str | None

    @property
    def short(self) -> tuple[str, str]:
        """Both values as people read them: a float with six digits, a digest by its beginning."""
        return _short(self.before), _short(self.after)

    @property
    def words(self) -> str:
        """As a line for people."""
        before, after = self.short
        return f"{self.key}: {before} → {after}"


def changes(before: Manifest, after: Manifest) -> list[Change]:
    """Every value that differs, part by part, in the order of the second manifest."""
    found: list[Change] = []
    for part, (old, new) in _parts(before, after).items():
        a, b = dict(_leaves(old)), dict(_leaves(new))
        for key in dict.fromkeys([*b, *a]):
            left, right = a.get(key, _ABSENT), b.get(key, _ABSENT)
            if left != right:
                found.append(Change(part, key, _shown(left), _shown(right)))
    return found


def _parts(before: Manifest, after: Manifest) -> dict[Part, tuple[Any, Any]]:
    def of(version: Manifest) -> dict[Part, Any]:
        plain = version.model_dump(mode="json")
        recipe = {key: value for key, value in plain["recipe"].items() if key != "description"}
        measures = {
            "test accuracy": version.test.accuracy,
            "validation accuracy": version.validation.accuracy,
            "test loss": version.test.loss,
            "calibration error": version.test.calibration_error,
            "temperature": version.calibration.temperature,
            "robustness": {name: measured.accuracy for name, measured in version.robustness.items()},
        }
        return {
            "data": plain["data"],
            "recipe": {"name": version.recipe_name} | recipe,
            "code": plain["code"],
            "environment": plain["environment"],
            "network": {
                "parameters": version.architecture.parameter_count,
                "weights sha256": version.files[WEIGHTS].sha256,
                "preprocessing": plain["preprocessing"],
            },
            "measures": measures,
        }

    old, new = of(before), of(after)
    return {part: (old[part], new[part]) for part in new}


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted place. Lists of tables, such as the layers, are taken apart; others are one value."""
    if isinstance(value, Mapping) and value:
        items = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        yield key, value
        return
    for name, item in items:
        yield from _leaves(item, f"{key}.{name}" if key else name)


def _short(value: str | None) -> str:
    if value is None:
        return "not set"
    if re.fullmatch('"[0-9a-f]{40,}"', value):
        return f"{value[1:13]}…"
    return f"{float(value):.6g}" if re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", value) and "." in value else value


def _shown(value: object) -> str | None:
    return None if value is _ABSENT or value is None else toml(value)
