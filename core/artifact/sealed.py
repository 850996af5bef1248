"""JSON documents that carry a digest of themselves, so that a single wrong bit in one is noticed when it is read.

The field `digest` is the sha256 of the canonical JSON of all other fields: keys sorted, no blanks, ASCII. What does not
change the meaning, such as indentation, does not change the digest.

Documents from before there were digests have none, and are still read. A wrong bit in the name `digest` must not make
a document look like one of them. So a document without a digest must not have a field that is not known: newer code,
which may have added one, has always written a digest as well.
"""

import hashlib
import json
from collections.abc import Collection
from typing import Any, NoReturn

__all__ = ["DIGEST", "as_written", "is_as_sealed", "opened", "sealed"]

DIGEST = "digest"
"""The name of the field."""


def sealed(document: dict[str, Any]) -> bytes:
    """A document with its digest as the last field: indented JSON, UTF-8."""
    whole = document | {DIGEST: _digest(document)}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False).encode()


def opened(data: bytes, known: Collection[str]) -> dict[str, Any]:
    """The fields of a document but its digest, which is checked.

    Args:
        data: The document.
        known: The names of the fields that a document without a digest may have.

    Raises:
        ValueError: It is not a JSON object, or not the one that was written.
    """
    try:
        document = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 — it is the content that is wrong
    digest = document.pop(DIGEST, None)
    if digest is None and not document.keys() <= set(known):
        raise ValueError(f"a field that is not known, and no {DIGEST}; it was changed after it was written")
    if digest is not None and digest != _digest(document):
        raise ValueError(f"its {DIGEST} does not match; it was changed after it was written")
    return document


def as_written(data: bytes, known: Collection[str]) -> bool:
    """Whether nothing has changed a document since it was written, also by code that gave it other fields.

    Args:
        data: The document.
        known: As for `opened`.
    """
    try:
        opened(data, known)
    except ValueError:
        return False
    return True


def is_as_sealed(document: object) -> bool:
    """Whether a parsed document carries its own digest. The quick half of `opened`, which says what is wrong if not."""
    if not isinstance(document, dict) or DIGEST not in document:
        return False
    return bool(document[DIGEST] == _digest({key: value for key, value in document.items() if key != DIGEST}))


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object that names a field more than once")
    return found


def _no_number(_constant: str) -> NoReturn:
    raise ValueError("NaN or Infinity, which JSON does not have")
