"""The manifest as JSON Schema (draft 2020-12), for readers in other languages: `manifest-1.schema.json`.

It is derived from the reader, `core.artifact.manifest.Manifest`, and says in addition what that checks in code, as far
as a schema can: docs/schema/README.md lists what it cannot say, and what others may rely on. After a change of the
manifest, write it anew with

    python -m core.artifact.schema > core/artifact/manifest-1.schema.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.artifact.manifest import MANIFEST, SCHEMA_VERSION, WEIGHTS, Manifest
from core.artifact.measured import Rejection
from core.artifact.sealed import DIGEST
from core.artifact.signature import Signature
from core.digit import LABELS, PIXELS

__all__ = ["SCHEMA", "encoded_schema", "manifest_schema"]

SCHEMA = Path(__file__).with_name(f"manifest-{SCHEMA_VERSION}.schema.json")
"""The file, which ships with the code."""

_SHA256 = "^[0-9a-f]{64}$"
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_MOMENT = (
    "^(19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""RFC 3339, from 1970 to 2199."""

Node = dict[str, Any]


def manifest_schema() -> Node:
    """The schema of a manifest."""
    found = Manifest.model_json_schema()
    found["title"] = "The manifest of a version"
    for node in _nodes(found):
        _tell(node)
    parts, fields = found["$defs"], found["properties"]
    ten = {"minItems": len(LABELS), "maxItems": len(LABELS)}
    fields[DIGEST] = {
        "type": "string",
        "pattern": _SHA256,
        "description": "sha256 of the canonical JSON of all other fields: sorted keys, no blanks, ASCII.",
    }
    fields["created"] |= {"pattern": _MOMENT}
    fields["labels"] = {"const": list(LABELS)}
    fields["files"]["required"] = [WEIGHTS]
    fields["files"]["propertyNames"]["not"] = {"const": MANIFEST}
    intervals = parts["Metrics"]["properties"]["per_class_intervals"]
    intervals["anyOf"] = [{"maxItems": 0}, {"minItems": len(LABELS)}]
    golden = parts["Golden"]["properties"]
    golden["images"] = {
        "type": "string",
        "contentEncoding": "base64",
        "contentMediaType": "application/octet-stream",
        "pattern": _BASE64,
        "minLength": 1,
        "maxLength": 4 * -(-golden["images"]["maxLength"] // 3),
        "description": f"uint8, {PIXELS} bytes an image, row by row.",
    }
    golden["probabilities"]["minItems"] = 1
    golden["probabilities"]["items"] |= ten
    spread = parts["Spread"]["properties"]
    spread["edges"]["items"]["maxItems"] = 255
    spread["shares"]["items"] |= {"minItems": 1, "maxItems": 256}
    spread["label_shares"] |= ten
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:numeral:manifest:{SCHEMA_VERSION}"}
    return head | found | {"allOf": [_sealed_or_known(list(fields)), _signed()]}


def encoded_schema() -> bytes:
    """The bytes of the file."""
    return (json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n").encode()


def _nodes(node: Any) -> Iterator[Node]:
    """Every object of the document that is a schema, and the maps that hold them."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key != "default":
                yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _tell(node: Node) -> None:
    """What pydantic leaves out, or says in Python's words."""
    if isinstance(node.get("title"), str) and node.get("title") != "The manifest of a version":
        del node["title"]  # the name of the field once more
    if isinstance(node.get("description"), str):
        node["description"] = node["description"].replace("None", "null")
    if isinstance(named := node.get("patternProperties"), dict):
        # A name of another form is refused, rather than free of any rule.
        del node["patternProperties"]
        ((pattern, value),) = named.items()
        node["propertyNames"] = {**node.get("propertyNames", {}), "pattern": pattern}
        node["additionalProperties"] = value


def _sealed_or_known(names: list[str]) -> Node:
    """A document without a digest is of an old version, and has no field that was added since."""
    return {
        "$comment": "A document without a digest may only have known fields: see docs/decisions/0015.",
        "if": {"not": {"required": [DIGEST]}},
        "then": {"propertyNames": {"enum": names}},
    }


def _signed() -> Node:
    """The signature is that of a version with this rejection, or without one."""
    rejecting = Signature.of(Rejection(scale=1, offset=0, threshold=0.5))
    return {
        "if": {"required": ["rejection"], "properties": {"rejection": {"type": "object"}}},
        "then": {
            "required": ["signature"],
            "properties": {"signature": {"required": ["outputs"], **_exactly(rejecting.model_dump(mode="json"))}},
        },
        "else": {"properties": {"signature": _exactly(Signature().model_dump(mode="json"))}},
    }


def _exactly(value: Any) -> Node:
    """A schema of a value, which lets objects have further fields."""
    if isinstance(value, dict):
        return {"properties": {key: _exactly(inner) for key, inner in value.items()}}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return {"prefixItems": [_exactly(item) for item in value], "minItems": len(value), "maxItems": len(value)}
    return {"const": value}


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded_schema())
