"""The published schema of the manifest: it is that of the reader, and both refuse the same documents.

docs/schema/README.md lists what a schema cannot say, and what the reader takes besides.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError, validators

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.schema import SCHEMA, encoded_schema
from core.artifact.sealed import DIGEST, sealed
from core.errors import ManifestError

from .builders import FILES, manifest_of, tiny_network
from .mutations import GONE, Place, at, mutations

ROOT = Path(__file__).resolve().parents[3]

PUBLISHED = [
    *ROOT.glob("tests/contract/published_earlier/mnist/*/manifest.json"),
    *ROOT.glob("pretrained/mnist/*/manifest.json"),
    Path(__file__).with_name("manifest_without_calibration.json"),
]
"""Every manifest of a version published before that the repository keeps."""


def pattern(_validator: object, wanted: str, found: Any, _schema: object) -> Any:
    """As the standard has it: in Python's own expressions, $ also stands before a line break at the end."""
    if isinstance(found, str) and not re.search(wanted.replace("$", r"\Z"), found):
        yield ValidationError(f"{found!r} does not match {wanted!r}")


VALIDATOR = validators.extend(Draft202012Validator, {"pattern": pattern})(json.loads(SCHEMA.read_bytes()))


def found_by_schema(document: Any) -> list[str]:
    """What the schema has against a document."""
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in VALIDATOR.iter_errors(document)]


def document(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(path.read_bytes())
    return parsed


DOCUMENTS = {str(path.relative_to(ROOT)): document(path) for path in PUBLISHED} | {
    "new": json.loads(manifest_of(tiny_network(), files=FILES).encode())
}


def test_the_schema_that_ships_is_that_of_the_reader() -> None:
    again = "run: python -m core.artifact.schema > core/artifact/manifest-1.schema.json"
    assert SCHEMA.read_bytes() == encoded_schema(), again


def test_the_schema_is_one_of_the_draft_that_it_names() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


def test_versions_of_several_layouts_are_kept() -> None:
    kept = [document(path) for path in PUBLISHED]
    assert len(kept) >= 4
    assert {DIGEST in each for each in kept} == {True, False}
    assert {"rejection" in each for each in kept} == {True, False}


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_manifest_that_was_published_before_is_valid_and_read(path: Path) -> None:
    assert found_by_schema(document(path)) == []
    assert Manifest.decode(path.read_bytes()).schema_version == 1


def test_a_manifest_that_is_written_now_is_valid() -> None:
    assert found_by_schema(DOCUMENTS["new"]) == []


BEYOND_A_SCHEMA = (
    "lies outside its interval",
    "the lower end must come first",
    "shares that sum to",
    "numbers that do not ascend",
    "expected one more than edges",
    "bytes of images for",
    "nested more than 16 levels deep",
    "day value is outside expected range",
)
"""What the reader checks and a schema cannot: how values of one document belong together."""


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(change=mutations(DOCUMENTS), reseal=st.booleans())
def test_schema_and_reader_agree_about_any_changed_manifest(change: tuple[Place, Any], reseal: bool) -> None:
    place, changed = change
    was_sealed = changed.pop(DIGEST, None) is not None
    data = sealed(changed) if reseal or was_sealed else json.dumps(changed).encode()
    against = found_by_schema(json.loads(data))
    read, refusal = by_the_reader(data)
    if read is None:
        event("refused by both" if against else "refused by the reader alone")
        assert against or any(words in refusal for words in BEYOND_A_SCHEMA), refusal
        return
    event("refused by the schema alone" if against else "accepted by both")
    assert found_by_schema(read) == []  # what the reader takes, it writes as the schema wants it
    if against:  # the reader takes some values in another spelling, such as "3" for 3, and reads what was meant
        assert place == (DIGEST,) or spelled_otherwise(at(changed, place), at(read, place)), against


def by_the_reader(data: bytes) -> tuple[Any, str]:
    """A document as the reader would write it again; or None, and why it is refused."""
    try:
        return json.loads(Manifest.decode(data).encode()), ""
    except ManifestError as error:
        return None, str(error)


def spelled_otherwise(given: Any, read: Any) -> bool:
    """Whether a value, or one within it, was read as one of another kind."""
    if isinstance(given, dict) and isinstance(read, dict):
        return any(spelled_otherwise(value, read.get(key, GONE)) for key, value in given.items())
    if isinstance(given, list) and isinstance(read, list):
        return any(spelled_otherwise(a, b) for a, b in zip(given, read, strict=False))
    return read is not GONE and (given != read or isinstance(given, bool) != isinstance(read, bool))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version: 1 was expected"),
        ({"files": {}}, f"files: '{WEIGHTS}' is a required property"),
        ({"labels": ["0"]}, "labels: "),
        ({"rejection": {"scale": 1, "offset": 0, "threshold": 0.5}}, "signature.outputs: "),
        ({"version": "3"}, "version: '3' is not of type 'integer'"),
    ],
)
def test_the_schema_says_what_is_wrong_and_where(change: dict[str, Any], message: str) -> None:
    assert any(finding.startswith(message) for finding in found_by_schema(DOCUMENTS["new"] | change))


@pytest.mark.parametrize("place", ["files", "data.files", "robustness", "held_out"])
@pytest.mark.parametrize("name", ["../a", "", "a\n", "x" * 3000])
def test_names_that_are_keys_of_a_map_are_refused_by_both_or_by_neither(place: str, name: str) -> None:
    changed = json.loads(json.dumps(DOCUMENTS["new"]))
    held = at(changed, tuple(place.split(".")))
    like = {"held_out": {"count": 9, "accuracy": 0.5, "interval": [0.2, 0.8]}}
    held[name] = next(iter(held.values()), like.get(place))
    del changed[DIGEST]
    read, _ = by_the_reader(sealed(changed))
    assert bool(found_by_schema(changed)) == (read is None)


def test_a_field_that_was_added_is_ignored_by_schema_and_reader() -> None:
    added = {key: value for key, value in DOCUMENTS["new"].items() if key != DIGEST} | {"added": 1}
    added["code"]["added"] = 2
    data = sealed(added)
    assert found_by_schema(json.loads(data)) == []
    assert Manifest.decode(data).code == manifest_of(tiny_network(), files=FILES).code


def test_a_field_that_is_not_known_needs_a_digest_in_schema_and_reader() -> None:
    old = document(Path(__file__).with_name("manifest_without_calibration.json")) | {"added": 1}
    assert any("'added'" in finding for finding in found_by_schema(old))
    with pytest.raises(ManifestError, match="a field that is not known, and no digest"):
        Manifest.decode(json.dumps(old).encode())


def test_fields_are_only_ever_added_to_a_version_of_the_schema() -> None:
    """The fields of the oldest manifest that is kept are all that a new one must have."""
    oldest = document(Path(__file__).with_name("manifest_without_calibration.json"))
    schema = VALIDATOR.schema
    assert set(schema["required"]) <= oldest.keys() <= set(schema["properties"])
