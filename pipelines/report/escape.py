"""Free text in formats that have no escaping of their own: Markdown and TOML."""

import json
import re
from collections.abc import Mapping
from typing import Any


def markdown(text: object) -> str:
    """Escape text so that a Markdown paragraph, list or table cell shows it literally, never as markup or HTML."""
    one_line = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]<>|&#~])", r"\\\1", one_line)


def toml(value: Any) -> str:
    """A recipe's value as TOML on one line, as `--set KEY=…` takes it."""
    if isinstance(value, Mapping):
        pairs = (f"{_key(str(key))} = {toml(item)}" for key, item in value.items() if item is not None)
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _string(value) if isinstance(value, str) else str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    # A JSON string is a TOML string too, except for JSON's surrogate pairs, which ensure_ascii=False avoids, and for
    # the control character DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
