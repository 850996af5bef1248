"""`shortened`: short names for the values of a key that varies, each saying what is different in it.

A number or a word is its own name. A list of layers or the options of an optimizer would fill a chart, so that nothing
was left of it for the curves.
"""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.report.escape import toml

__all__ = ["LONGEST", "shortened"]

LONGEST = 24
"""Characters of a name: it stands at the end of a line in a chart."""

_MAIN = ("units", "channels", "size", "rate", "degrees", "pixels")
"""Options that go without saying their name: "dense 128"."""

_SHORTEST = "shortest"
_NOTHING = "none"


def shortened(values: Sequence[str], longest: int = LONGEST) -> tuple[str, ...]:
    """A name for each value, all different, on one line.

    Args:
        values: As TOML, all different.
        longest: How many characters a name may have.
    """
    parsed = [tomllib.loads(f"value = {value}")["value"] for value in values]
    said = [_printable(name) for name in _told_apart(parsed)]
    if len(set(said)) < len(said):  # such as the number 1 and the text "1"
        said = [_printable(value) for value in values]
    # The number of a value keeps apart those that begin alike.
    names = tuple(
        name if 0 < len(name) <= longest else _cut(f"{number}: {name}", longest) for number, name in enumerate(said, 1)
    )
    if len(set(names)) == len(names):
        return names
    return tuple(_cut(f"{number}: {name}", longest) for number, name in enumerate(said, 1))


def _told_apart(values: Sequence[Any]) -> list[str]:
    if all(isinstance(value, dict) for value in values):
        return [_table(_differing(value, values)) for value in values]
    if all(_is_row(value) for value in values):
        return _rows([[_layer(layer) for layer in value] for value in values])
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    """A value by itself."""
    if isinstance(value, dict):
        return _table(value)
    if _is_row(value):
        return _joined([_layer(layer) for layer in value])
    return value if isinstance(value, str) else toml(value)


def _is_row(value: Any) -> bool:
    """Whether it is a list of tables, such as layers."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _differing(table: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What not all of the tables have, and the kind."""
    missing = object()
    return {
        key: value
        for key, value in table.items()
        if key == "kind" or any(other.get(key, missing) != value for other in tables)
    }


def _table(table: Mapping[str, Any]) -> str:
    """{kind = "adam", beta1 = 0.8} → adam, beta1 0.8."""
    options = dict(table)
    kind = [str(options.pop("kind"))] if "kind" in options else []
    return ", ".join([*kind, *(f"{key} {_text(value)}" for key, value in options.items())]) or _NOTHING


def _layer(layer: Mapping[str, Any]) -> str:
    """{kind = "dense", units = 128} → dense 128."""
    options = dict(layer)
    main = next((key for key in _MAIN if key in options), None)
    if main is None or "kind" not in options:
        return _table(options)
    size = _text(options.pop(main))
    return _table(options | {"kind": f"{options['kind']} {size}"})


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Of rows of layers, what is left without what all of them begin and end with."""
    shortest = min(map(len, rows))
    begin = _alike(rows, range(shortest))
    end = _alike(rows, range(-1, begin - shortest - 1, -1))
    left = [row[begin : len(row) - end] for row in rows]
    if all(left):
        return [_joined(row) for row in left]
    return [f"+ {_joined(row)}" if row else _SHORTEST if len(rows[at]) else _NOTHING for at, row in enumerate(left)]


def _alike(rows: Sequence[Sequence[str]], places: Sequence[int]) -> int:
    """At how many of the places, from the first on, all rows have the same."""
    return next((at for at, place in enumerate(places) if len({row[place] for row in rows}) > 1), len(places))


def _joined(row: Sequence[str]) -> str:
    """The parts of a row; a block that is repeated is said once: 2 × (dense 32, relu)."""
    for size in range(1, len(row) // 2 + 1):
        if len(row) % size == 0 and list(row) == list(row[:size]) * (len(row) // size):
            return f"{len(row) // size} × ({', '.join(row[:size])})"
    return ", ".join(row) or _NOTHING


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _cut(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
