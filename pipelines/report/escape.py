"""Free text in formats that have no escaping of their own: Markdown and TOML."""

import json
import re
from collections.abc import Mapping
from typing import Any


def markdown(text: object) -> str:
    """Text that Markdown shows as it is: in a paragraph, a list or a table cell, never as markup or HTML."""
    one_line = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]<>|&#~])", r"\\\1", one_line)


def toml(value: Any) -> str:
    """A recipe's value as TOML writes it, on one line: what `--set KEY=…` takes."""
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(key))} = {toml(item)}" for key, item in value.items() if item is not None)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    # A JSON string is a TOML string as well, except for JSON's surrogate pairs: keep those characters as they are.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
