import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.artifact import weights
from core.artifact.manifest import WEIGHTS, FileEntry, Golden, Manifest, Metrics, Preprocessing
from core.artifact.sealed import DIGEST, opened, sealed
from core.errors import DamagedVersionError, ManifestError
from core.inference.predict import rebuild

from .builders import FILES, LABELS, manifest_of, some_images, tiny_network

MANIFEST = manifest_of(tiny_network(), files=FILES)


def document() -> dict[str, Any]:
    """The fields of the manifest as plain JSON, to be changed by a test; without its digest."""
    return opened(MANIFEST.encode(), known=())


def decode(changed: Any) -> Manifest:
    return Manifest.decode(json.dumps(changed).encode(), name="mnist/1/manifest.json")


def put(changed: Any, place: str, value: Any) -> None:
    """Set the value at a place such as `data.train_images`; delete it where the value is `GONE`."""
    *path, last = (int(key) if key.isdigit() else key for key in place.split("."))
    for key in path:
        changed = changed[key]
    if value is GONE:
        del changed[last]
    else:
        changed[last] = value


GONE: Any = object()


def test_a_manifest_survives_the_round_trip_unchanged() -> None:
    found = Manifest.decode(MANIFEST.encode())
    assert found == MANIFEST
    assert found.encode() == MANIFEST.encode()


def test_a_manifest_is_json_that_people_can_read() -> None:
    parsed = document()
    assert parsed["schema_version"] == 1
    assert parsed["name"] == "mnist"
    assert datetime.fromisoformat(parsed["created"]) == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert parsed["files"][WEIGHTS] == {"sha256": FileEntry.of(b"weights").sha256, "size": 7}
    assert MANIFEST.encode().startswith(b'{\n  "schema_version": 1,\n')


def test_a_file_is_described_by_digest_and_size() -> None:
    entry = FileEntry.of(b"abc")
    assert entry.size == 3
    assert entry.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


def test_golden_arrays_are_the_ones_that_were_given() -> None:
    images, probabilities = Manifest.decode(MANIFEST.encode()).golden.arrays()
    np.testing.assert_array_equal(images, some_images(3))
    assert images.dtype == np.uint8
    assert probabilities.shape == (3, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities, np.asarray(MANIFEST.golden.probabilities, np.float32))


@pytest.mark.parametrize("place", ["added", "data.added", "golden.added", "architecture.added"])
def test_fields_of_a_newer_numeral_are_ignored(place: str) -> None:
    changed = document()
    put(changed, place, {"a": 1})
    assert Manifest.decode(sealed(changed)) == MANIFEST


def test_a_manifest_from_before_calibration_is_read_with_temperature_1() -> None:
    data = (Path(__file__).parent / "manifest_without_calibration.json").read_bytes()
    assert b"temperature" not in data
    found = Manifest.decode(data)
    assert found.calibration.temperature == 1
    assert found.robustness == {}
    assert found.test.accuracy == 0.5
    assert found.test.raw_calibration_error is None
    assert found.test.per_class_intervals == ()
    assert Manifest.decode(found.encode()) == found
    rebuilt = rebuild(found, weights.encode(tiny_network().state()))  # passes the golden probe
    assert rebuilt.temperature == 1


WRONG: list[tuple[str, Any]] = [
    ("schema_version", 2),
    ("schema_version", "1"),
    ("name", GONE),
    ("name", 7),
    ("version", GONE),
    ("version", 0),
    ("version", -1),
    ("version", "three"),
    ("version", 1.5),
    ("created", "yesterday"),
    ("fingerprint", "f" * 63),
    ("fingerprint", "F" * 64),
    ("files", []),
    ("files.report", {"sha256": "f" * 64}),
    ("architecture", GONE),
    ("architecture.input_shape", 784),
    ("architecture.layers", ["dense"]),
    ("labels", "0123456789"),
    ("preprocessing.mean", GONE),
    ("preprocessing.std", 0),
    ("preprocessing.std", -1.0),
    ("preprocessing.std", None),
    ("data.files", {"train-images": "short"}),
    ("validation.interval", [0.1]),
    ("test", GONE),
    ("validation.per_class_intervals", [[0.1]]),
    ("calibration.temperature", 0),
    ("calibration.temperature", -1.0),
    ("calibration.temperature", "warm"),
    ("robustness", [0.5]),
    ("robustness.noise", 0.5),
    ("verdict.promote", "perhaps"),
    ("golden", GONE),
    ("golden.images", "%%%"),
    ("golden.images", "é"),
    ("golden.probabilities", [["one"]]),
]
"""What is missing, or of another kind."""

PROBABILITIES = list(MANIFEST.golden.probabilities)

OUT_OF_RANGE: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "m" * 256),
    ("name", "mnist\n"),
    ("version", 10**9),
    ("created", "1969-01-01T00:00:00Z"),
    ("created", "9999-01-01T00:00:00Z"),
    ("created", "2026-01-01T00:00:00"),
    ("files", {}),
    ("files", {WEIGHTS: {"sha256": "f" * 64, "size": -1}}),
    ("files", {WEIGHTS: {"sha256": "f" * 64, "size": 2**41}}),
    ("files", {WEIGHTS: {"sha256": "f" * 64, "size": 7}, "manifest.json": {"sha256": "f" * 64, "size": 7}}),
    *(
        ("files", {WEIGHTS: {"sha256": "f" * 64, "size": 7}, name: {"sha256": "f" * 64, "size": 7}})
        for name in ("../card.md", "a/b", "a\\b", ".hidden", "", "a\0", "a" * 256)
    ),
    ("architecture.input_shape", []),
    ("architecture.input_shape", [0]),
    ("architecture.input_shape", [-784]),
    ("architecture.layers", []),
    ("architecture.layers", [{"kind": "dense"}] * 1001),
    ("architecture.parameter_count", -1),
    ("signature", {"inputs": []}),
    ("signature.outputs.0.datatype", "FP64"),
    ("signature.outputs.0.datatype", "INT64"),
    ("signature.outputs.0.shape", [-1, 11]),
    ("signature.inputs.0.name", "imago"),
    ("labels", [*LABELS[:9], "3"]),
    ("labels", [*LABELS[:8], "9", "8"]),
    ("labels", [*LABELS, "10"]),
    ("preprocessing.mean", -0.1),
    ("preprocessing.mean", 256),
    ("preprocessing.std", 1e-300),
    ("preprocessing.std", 256),
    ("data.train_images", -1),
    ("data.split_seed", -1),
    ("data.license", "l" * 3000),
    ("data.files", {"../train-images": "f" * 64}),
    ("recipe", {"train": [[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]}),
    ("code.commit", "not a commit"),
    ("environment.threads", -2),
    ("validation.count", 0),
    ("validation.accuracy", 2),
    ("validation.accuracy", -0.5),
    ("validation.accuracy", 0.7),
    ("validation.interval", [0.6, 0.4]),
    ("validation.interval", [-0.1, 0.6]),
    ("validation.interval", [0.6, 0.7]),
    ("validation.loss", -1),
    ("validation.loss", 1e300),
    ("test.calibration_error", 1.5),
    ("test.per_class", [0.5] * 9),
    ("test.per_class", [0.5] * 9 + [1.5]),
    ("test.per_class", [0.5] * 9 + [0.1]),
    ("test.per_class_intervals", [[0.2, 0.8]] * 9),
    ("calibration.temperature", 1e-3),
    ("calibration.temperature", 101),
    ("rejection", {"scale": 0, "offset": 0, "threshold": 0.5}),
    ("rejection", {"scale": 1, "offset": 1e40, "threshold": 0.5}),
    ("rejection", {"scale": 1, "offset": 0, "threshold": 1}),
    ("rejection", {"scale": 1, "offset": 0, "threshold": 0.5}),
    ("rejection_metrics", {"digits": {"count": 9, "share": 0.9, "interval": [0.1, 0.2]}}),
    ("robustness.noise.accuracy", 0.9),
    ("verdict.parent", 0),
    ("verdict.reason", "two\nlines"),
    ("golden.tolerance", 1.0),
    ("golden.tolerance", -1e-4),
    ("golden.probabilities", [PROBABILITIES[0], PROBABILITIES[1]]),
    ("golden.probabilities", [PROBABILITIES[0], PROBABILITIES[1], [0.5] * 10]),
    ("golden.probabilities", [PROBABILITIES[0], PROBABILITIES[1], [-1.0, 2.0] + [0.0] * 8]),
    ("golden.probabilities", [[1.0]] * 3),
]
"""What is of the right kind, and cannot be true. A digest would hide none of it: anyone can compute one."""


@pytest.mark.parametrize(("place", "value"), WRONG)
def test_a_wrong_field_is_refused_and_named(place: str, value: Any) -> None:
    changed = document()
    put(changed, place, value)
    with pytest.raises(ManifestError) as caught:
        decode(changed)
    message = str(caught.value)
    assert message.startswith(f"mnist/1/manifest.json: {place}")
    assert "expected a manifest of schema version 1" in message


@pytest.mark.parametrize(("place", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_whether_the_digest_matches_or_not(place: str, value: Any) -> None:
    changed = document()
    put(changed, place, value)
    for data in (sealed(changed), json.dumps(changed).encode()):
        with pytest.raises(ManifestError, match="expected a manifest of schema version 1"):
            Manifest.decode(data)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize(
    "place", ["preprocessing.std", "golden.tolerance", "recipe.train", "architecture.layers.0.units"]
)
def test_a_number_that_is_not_finite_is_refused_wherever_it_stands(place: str, number: str) -> None:
    changed = document()
    put(changed, place, "the number")
    with pytest.raises(ManifestError):
        Manifest.decode(json.dumps(changed).replace('"the number"', number).encode())


def test_a_field_that_is_there_twice_is_refused() -> None:
    data = MANIFEST.encode().replace(b'{\n  "schema_version": 1,', b'{\n  "version": 2,\n  "schema_version": 1,')
    with pytest.raises(ManifestError, match="more than once"):
        Manifest.decode(data)


def test_the_name_of_a_field_does_not_make_the_error_long() -> None:
    changed = document()
    put(changed, "files", changed["files"] | {"x" * 100_000: 7})
    with pytest.raises(ManifestError) as caught:
        decode(changed)
    assert len(str(caught.value)) < 500


def test_no_flipped_bit_of_a_manifest_changes_what_is_read() -> None:
    data, rng = MANIFEST.encode(), random.Random(0)
    for bit in rng.sample(range(8 * len(data)), 600):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert Manifest.decode(bytes(flipped)) == MANIFEST, f"bit {bit}"
        except ManifestError:
            continue


def test_no_flipped_bit_makes_a_manifest_look_like_one_without_a_digest() -> None:
    data = MANIFEST.encode()
    for bit in range(8 * data.rindex(DIGEST.encode()), 8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ManifestError):
            Manifest.decode(bytes(flipped))


def test_a_manifest_may_be_indented_anew() -> None:
    assert Manifest.decode(json.dumps(json.loads(MANIFEST.encode()), sort_keys=True).encode()) == MANIFEST


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"a": 1} trailing'])
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestError, match=r"^mnist/1/manifest\.json: (the document|schema_version|name)"):
        Manifest.decode(data, name="mnist/1/manifest.json")


def test_a_manifest_cut_off_anywhere_is_refused() -> None:
    data = MANIFEST.encode()
    for length in range(0, len(data) - 1, 97):
        with pytest.raises(ManifestError):
            Manifest.decode(data[:length])


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_random_bytes_are_refused_with_the_one_kind_of_error(data: bytes) -> None:
    with pytest.raises(ManifestError):
        Manifest.decode(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=300)
@given(field=st.sampled_from(sorted(document())), value=json_values)
def test_any_json_in_any_field_is_read_or_refused_with_the_one_kind_of_error(field: str, value: Any) -> None:
    try:
        found = decode(document() | {field: value})
    except ManifestError:
        return
    assert Manifest.decode(found.encode()) == found


def test_an_unreadable_manifest_is_a_damaged_version() -> None:
    assert issubclass(ManifestError, DamagedVersionError)


@pytest.mark.parametrize(
    ("images", "probabilities"),
    [
        (some_images(2).tobytes(), ((0.5, 0.5),)),
        (some_images(1).tobytes()[:-1], ((0.5, 0.5),)),
        (b"", ()),
        (some_images(1).tobytes(), ()),
        (b"", ((0.5, 0.5),)),
        (some_images(2).tobytes(), ((0.5, 0.5), (1.0,))),
    ],
)
def test_golden_images_and_outputs_that_do_not_belong_together_are_refused(
    images: bytes, probabilities: tuple[tuple[float, ...], ...]
) -> None:
    with pytest.raises(ValidationError, match=r"expected"):
        Golden(images=images, probabilities=probabilities)


NOT_FINITE: list[Callable[[float], object]] = [
    lambda number: Preprocessing(mean=number, std=1, framing={}),
    lambda number: Metrics.model_validate(MANIFEST.test.model_dump() | {"loss": number}),
    lambda number: Metrics.model_validate(MANIFEST.test.model_dump() | {"per_class": (number,)}),
    lambda number: Golden(images=some_images(1).tobytes(), probabilities=((number,),)),
]


@pytest.mark.parametrize("make", NOT_FINITE)
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_cannot_hold_never_get_into_a_manifest(
    make: Callable[[float], object], number: float
) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        make(number)


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MANIFEST.version = 2  # type: ignore[misc]
