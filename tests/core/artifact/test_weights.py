import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.artifact.weights import decode, encode
from core.errors import DamagedVersionError, WeightsError

from .builders import tiny_network

# The format (https://github.com/huggingface/safetensors): the header's length, 8 bytes, little-endian; the header, JSON
# padded with spaces to a multiple of 8; the numbers, little-endian.
GOLDEN = (
    bytes.fromhex("90 00 00 00 00 00 00 00")
    + b'{"__metadata__":{"format":"np"},'
    + b'"W":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
    + b'"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}}'
    + b" " * 1
    + bytes.fromhex("00 00 80 3f  00 00 00 40  00 00 40 40  00 00 80 40")  # 1, 2, 3, 4
    + bytes.fromhex("00 00 00 bf")  # −0.5
)
GOLDEN_STATE = {"W": np.array([[1, 2], [3, 4]], np.float32), "b": np.array([-0.5], np.float32)}


def assert_equal(found: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_a_tiny_state_is_encoded_as_these_bytes() -> None:
    assert encode(GOLDEN_STATE) == GOLDEN
    assert_equal(decode(GOLDEN), GOLDEN_STATE)


def test_a_networks_state_survives_the_round_trip_bit_for_bit() -> None:
    state = tiny_network().state()
    assert_equal(decode(encode(state)), state)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 3, 4)])
def test_arrays_of_every_shape_survive_the_round_trip(shape: tuple[int, ...]) -> None:
    state = {"x": np.random.default_rng(0).standard_normal(shape, np.float32)} if shape else {"x": np.float32(3.5)}
    state = {"x": np.asarray(state["x"])}
    assert_equal(decode(encode(state)), state)


def test_the_extremes_of_float32_survive_the_round_trip() -> None:
    limits = np.finfo(np.float32)
    state = {"x": np.array([limits.max, limits.min, limits.tiny, limits.smallest_subnormal, -0.0], np.float32)}
    found = decode(encode(state))["x"]
    assert found.tobytes() == state["x"].tobytes()


def test_a_state_gives_the_same_bytes_in_any_order_of_its_arrays() -> None:
    state = tiny_network().state()
    assert encode(state) == encode(state) == encode(dict(reversed(state.items())))


def test_a_transposed_or_strided_array_is_stored_as_it_looks() -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    state = {"T": x.T, "strided": x[:, ::2], "reversed": x[::-1]}
    assert_equal(decode(encode(state)), state)


def test_decoded_arrays_own_their_memory() -> None:
    data = encode(GOLDEN_STATE)
    decode(data)["W"][...] = 0
    assert_equal(decode(data), GOLDEN_STATE)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(2), "W: float64, expected float32"),
        (np.zeros(2, np.float16), "W: float16, expected float32"),
        (np.zeros(2, np.int32), "W: int32, expected float32"),
        (np.zeros(2, ">f4"), "W: >f4, expected float32"),
        (np.array([1, np.nan], np.float32), "W: holds numbers that are not finite"),
        (np.array([1, -np.inf], np.float32), "W: holds numbers that are not finite"),
    ],
)
def test_what_must_not_be_published_is_not_encoded(array: NDArray[Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        encode({"b": np.zeros(1, np.float32), "W": array})


# attacks


def file(header: Any, numbers: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


def entry(*shape: int, at: int = 0, dtype: str = "F32", size: int | None = None) -> dict[str, Any]:
    length = int(np.prod(shape)) * 4 if size is None else size
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + length]}


ONE = b"\0\0\x80\x3f"
NAN, INFINITY = b"\0\0\xc0\x7f", b"\0\0\x80\x7f"
TWICE = b'{"W":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"W":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
TWICE_APART = TWICE.replace(b"[0,4]}}", b"[4,8]}}")

ATTACKS = {
    "nothing": b"",
    "not safetensors at all": b"\x93NUMPY\x01\x00" + b"x" * 200,
    "a pickle": b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05hello\x94.",
    "length cut off": GOLDEN[:5],
    "header cut off": GOLDEN[:60],
    "numbers cut off": GOLDEN[:-1],
    "trailing byte": GOLDEN + b"\0",
    "header of no bytes": file(b""),
    "header longer than the file": file(b"{}", length=1000),
    "header of absurd length": file(b"{}", length=2**62),
    "header of the largest length": file(b"{}", length=2**64 - 1),
    "header not UTF-8": file(b"\xff\xfe\xfd"),
    "header not JSON": file(b"{'W': 1}"),
    "header an array": file(b"[]"),
    "header nested to death": file(b"[" * 100_000),
    "offsets that overlap": file({"W": entry(2), "b": entry(2, at=4)}, ONE * 3),
    "two names for the same numbers": file({"W": entry(1), "b": entry(1)}, ONE),
    "numbers without a name": file({"W": entry(1, at=4)}, ONE * 2),
    "offsets beyond the end": file({"W": entry(2)}, ONE),
    "offsets backwards": file({"W": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, ONE),
    "offsets that do not fit the shape": file({"W": entry(3, size=4)}, ONE),
    "negative shape": file({"W": entry(-1, size=4)}, ONE),
    "shape that overflows": file({"W": entry(2**62, 2**62, size=0)}),
    "empty but vast": file({"W": entry(0, 2**62, size=0)}),
    "too many axes": file({"W": entry(*[1] * 100)}, ONE),
    "a name twice": file(TWICE, ONE),
    "a name twice, apart": file(TWICE_APART, ONE * 2),
    "a field twice": file(b'{"W":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', ONE),
    "a field missing": file({"W": {"dtype": "F32", "shape": [1]}}, ONE),
    "float64": file({"W": entry(1, dtype="F64", size=8)}, ONE * 2),
    "float16": file({"W": entry(2, dtype="F16", size=4)}, ONE),
    "bfloat16": file({"W": entry(2, dtype="BF16", size=4)}, ONE),
    "float8": file({"W": entry(4, dtype="F8_E4M3", size=4)}, ONE),
    "integers": file({"W": entry(1, dtype="I32")}, ONE),
    "booleans": file({"W": entry(4, dtype="BOOL", size=4)}, ONE),
    "complex": file({"W": entry(1, dtype="C64", size=8)}, ONE * 2),
    "unknown type": file({"W": entry(1, dtype="F31")}, ONE),
    "NaN": file({"W": entry(2)}, ONE + NAN),
    "infinity": file({"W": entry(2)}, ONE + INFINITY),
    "metadata not text": file({"__metadata__": {"a": 1}}),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_malformed_file_is_refused_by_name(attack: str) -> None:
    with pytest.raises(WeightsError, match=r"^mnist/3/weights\.safetensors: "):
        decode(ATTACKS[attack], name="mnist/3/weights.safetensors")


def test_the_unaltered_file_of_the_attacks_is_valid() -> None:
    assert_equal(decode(file({"W": entry(2)}, ONE * 2)), {"W": np.ones(2, np.float32)})


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        ("float64", "W is float64, expected float32"),
        ("bfloat16", "holds BF16 numbers, expected F32"),
        ("NaN", "W holds numbers that are not finite"),
        ("a name twice", "the header names W more than once"),
        ("numbers cut off", "not a whole safetensors file"),
    ],
)
def test_the_error_says_what_was_found_and_what_was_wanted(attack: str, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        decode(ATTACKS[attack])


def test_unreadable_weights_are_a_damaged_version() -> None:
    assert issubclass(WeightsError, DamagedVersionError)


@settings(deadline=None, max_examples=300)
@given(data=st.binary(max_size=200) | st.binary(max_size=100).map(lambda header: file(header, ONE)))
def test_random_bytes_are_refused_with_the_one_kind_of_error(data: bytes) -> None:
    try:
        state = decode(data)
    except WeightsError:
        return
    assert not state  # "{}" is a sound file with nothing in it


@settings(deadline=None, max_examples=300)
@given(place=st.integers(0, len(GOLDEN) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_one_changed_byte_gives_finite_numbers_or_the_one_kind_of_error(place: int, byte: int, cut: bool) -> None:
    changed = GOLDEN[:place] + bytes([byte]) + (b"" if cut else GOLDEN[place + 1 :])
    try:
        state = decode(changed)
    except WeightsError:
        return
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in state.values())
