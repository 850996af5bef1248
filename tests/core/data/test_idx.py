"""IDX: what is written is read back, and a malformed file is refused with what is wrong with it."""

import gzip
import stat
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import errors
from core.data import idx
from core.data.gunzip import CHUNK_IN
from core.data.header import DTYPES as BY_CODE

DTYPES = st.sampled_from(list(BY_CODE.values()))
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4))
)


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Bit for bit, so that NaN counts too."""
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def header(code: int, *shape: int) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


# Ten bytes: the header of a vector of two, and its elements.
VECTOR = header(0x08, 2) + b"ab"


class TestRoundTrips:
    @given(ARRAYS)
    def test_every_array_survives_encoding(self, array):
        assert same(idx.parse(idx.encode(array)), array)

    @given(array=ARRAYS, suffix=st.sampled_from(["", ".gz"]))
    def test_every_array_survives_the_disk(self, array, suffix, tmp_path_factory):
        path = tmp_path_factory.mktemp("idx") / f"array{suffix}"
        idx.write(path, array)
        assert same(idx.read(path), array)

    @given(ARRAYS)
    def test_every_array_survives_gzip(self, array):
        assert same(idx.parse(idx.unpack(gzip.compress(idx.encode(array)))), array)

    def test_sixty_four_dimensions_are_as_many_as_numpy_has(self):
        array = np.full((1,) * 64, 7, np.int16)
        assert same(idx.parse(idx.encode(array)), array)

    @pytest.mark.parametrize(
        "array",
        [np.arange(6, dtype=">i4").reshape(2, 3), np.arange(6, dtype="<i4").reshape(3, 2).T, np.arange(9.0)[::-2]],
        ids=["big-endian", "transposed", "strided"],
    )
    def test_byte_order_and_memory_layout_do_not_matter(self, array):
        np.testing.assert_array_equal(idx.parse(idx.encode(array)), array)

    def test_the_bytes_are_those_of_the_format(self):
        assert idx.encode(np.array([[1, -2]], np.int16)) == bytes.fromhex("00000b02 00000001 00000002 0001 fffe")

    def test_a_scalar_has_a_header_of_four_bytes(self):
        assert idx.encode(np.array(1.0, np.float32)) == bytes.fromhex("00000d00 3f800000")


class TestParsedArrays:
    def test_are_read_only(self):
        for data in (idx.encode(np.zeros(3, np.uint8)), idx.encode(np.zeros(3, np.float32))):
            assert not idx.parse(data).flags.writeable
            assert not idx.parse(memoryview(bytearray(data))).flags.writeable

    def test_of_bytes_share_the_memory_of_the_file(self):
        data = np.frombuffer(VECTOR, np.uint8)
        assert np.shares_memory(idx.parse(data.data), data)

    def test_have_native_byte_order(self):
        assert idx.parse(idx.encode(np.zeros(3, np.int32))).dtype.isnative


MALFORMED = {
    "no bytes": (b"", errors.IdxTruncatedError, "ends after 0 bytes"),
    "half a magic": (b"\0\0\x08", errors.IdxTruncatedError, "ends after 3 bytes"),
    "half a dimension": (header(0x08, 2)[:6], errors.IdxTruncatedError, "ends after 6 bytes"),
    "one element short": (VECTOR[:-1], errors.IdxTruncatedError, r"9 bytes, but the header announces 10 .*\(2,\)"),
    "one byte left over": (VECTOR + b"c", errors.IdxTrailingError, "1 bytes left over after the 10"),
    "text": (b"<!DOCTYPE html>", errors.IdxMagicError, "begins with 3c 21 44 4f"),
    "gzip": (gzip.compress(VECTOR), errors.IdxMagicError, "this is gzip, unpack it first"),
    "unknown type": (b"\0\0\x0a\x01" + bytes(8), errors.IdxMagicError, "begins with 00 00 0a 01"),
    "little-endian magic": (struct.pack("<I", 2051) + bytes(12), errors.IdxMagicError, "begins with 03 08 00 00"),
    "65 dimensions": (header(0x08, *(1,) * 65) + b"a", errors.IdxDimensionsError, "65 dimensions, expected at most 64"),
    "255 dimensions": (header(0x08, *(1,) * 255) + b"a", errors.IdxDimensionsError, "255 dimensions"),
    "a huge product": (header(0x08, 2**31, 2**31, 2**31), errors.IdxDimensionsError, "the limit is 1,073,741,824"),
    "a product that wraps around to 0 in 64 bits": (
        header(0x0E, *(2**16,) * 4),
        errors.IdxDimensionsError,
        "147,573,952,589,676,412,928 bytes",
    ),
    "a huge product beside a zero": (header(0x08, 0, 2**31, 2**31), errors.IdxDimensionsError, r"\(0, 2147483648"),
}


class TestMalformedFiles:
    @pytest.mark.parametrize(("data", "error", "words"), MALFORMED.values(), ids=MALFORMED)
    def test_are_named_with_what_was_found(self, data, error, words):
        with pytest.raises(error, match=f"^train-labels: .*{words}"):
            idx.parse(data, name="train-labels")

    @pytest.mark.parametrize(("data", "error", "words"), MALFORMED.values(), ids=MALFORMED)
    def test_are_named_by_their_path_when_read(self, data, error, words, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(data)
        if data.startswith(b"\x1f\x8b"):
            assert idx.read(path).tolist() == [97, 98]  # what parse refuses, read unpacks
            return
        with pytest.raises(error, match=str(path)):
            idx.read(path)

    @pytest.mark.parametrize(
        ("shape", "magic", "words"),
        [
            ((2, 2, 2), 2049, "train: magic 2051, expected 2049; was an images file passed?"),
            ((2,), 2051, "train: magic 2049, expected 2051; was a labels file passed?"),
            ((2, 2), 2051, "train: magic 2050, expected 2051; is it the right file?"),
        ],
    )
    def test_of_another_kind_are_told_apart_by_their_magic(self, shape, magic, words):
        with pytest.raises(errors.IdxMagicError) as caught:
            idx.parse(idx.encode(np.zeros(shape, np.uint8)), name="train", magic=magic)
        assert str(caught.value) == words

    def test_an_empty_dimension_is_no_malformation(self):
        assert idx.parse(header(0x0E, 0, 28, 28)).shape == (0, 28, 28)

    def test_the_limit_counts_the_whole_file(self):
        assert idx.parse(VECTOR, limit=10).tolist() == [97, 98]
        with pytest.raises(errors.IdxDimensionsError, match="the limit is 9"):
            idx.parse(VECTOR, limit=9)

    @pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.uint16, np.complex64, "U3", object])
    def test_are_not_written_either(self, dtype):
        with pytest.raises(errors.IdxError, match="cast it to one of uint8, int8, int16, int32, float32, float64"):
            idx.encode(np.zeros(2, dtype))


PACKED = gzip.compress(VECTOR, mtime=0)
DAMAGED = {
    "no bytes": (b"", errors.IdxTruncatedError, "empty, 0 bytes"),
    "not gzip": (VECTOR, errors.IdxGzipDamagedError, "incorrect header check"),
    "cut short": (PACKED[:-9], errors.IdxGzipDamagedError, f"cut short after {len(PACKED) - 9} bytes"),
    "cut in its checksum": (PACKED[:-5], errors.IdxGzipDamagedError, r"cut short .*\(10 unpacked\)"),
    "wrong checksum": (PACKED[:-8] + bytes(4) + PACKED[-4:], errors.IdxGzipDamagedError, "incorrect data check"),
    "wrong length": (PACKED[:-4] + bytes(4), errors.IdxGzipDamagedError, "incorrect length check"),
    "a flipped bit": (PACKED[:12] + bytes([PACKED[12] ^ 0x06]) + PACKED[13:], errors.IdxGzipDamagedError, "damaged"),
    "something behind": (PACKED + b"junk", errors.IdxGzipDamagedError, f"ends at byte {len(PACKED)}, and something"),
    "one byte behind": (PACKED + b"\x1f", errors.IdxGzipDamagedError, f"ends at byte {len(PACKED)}, and something"),
    "more than announced": (gzip.compress(VECTOR + b"c"), errors.IdxGzipBombError, "more than the 10 bytes"),
    "another member than announced": (PACKED * 2, errors.IdxGzipBombError, "more than the 10 bytes"),
    "not IDX inside": (gzip.compress(b"<!DOCTYPE html>"), errors.IdxMagicError, "begins with 3c 21 44 4f"),
    "absurd inside": (gzip.compress(header(8, 2**31, 2**31)), errors.IdxDimensionsError, "the limit is"),
}


class TestGzippedFiles:
    @pytest.mark.parametrize(("data", "error", "words"), DAMAGED.values(), ids=DAMAGED)
    def test_when_damaged_are_named_with_what_was_found(self, data, error, words):
        with pytest.raises(error, match=f"^train-labels: .*{words}"):
            idx.unpack(data, name="train-labels")

    def test_may_consist_of_several_members(self):
        members = b"".join(gzip.compress(VECTOR[i : i + 1]) for i in range(len(VECTOR)))
        assert idx.unpack(members) == VECTOR

    def test_may_be_padded_with_zeros(self):
        assert idx.unpack(PACKED + bytes(40_000)) == VECTOR

    @pytest.mark.parametrize("begin", [CHUNK_IN - 1, CHUNK_IN, CHUNK_IN + 1])
    def test_may_have_a_member_that_begins_where_a_chunk_ends(self, begin):
        first, second = gzip.compress(VECTOR[:3]), gzip.compress(VECTOR[3:])
        assert idx.unpack(first + bytes(begin - len(first)) + second) == VECTOR

    def test_may_have_an_empty_member_between_padding(self):
        assert idx.unpack(PACKED + bytes(9) + gzip.compress(b"") + bytes(9)) == VECTOR

    def test_of_no_content_unpack_to_nothing(self):
        assert idx.unpack(gzip.compress(b"")) == b""

    def test_cannot_exceed_the_limit_even_without_a_header_to_go_by(self):
        members = gzip.compress(b"\0\0") + gzip.compress(b"\x08")  # three bytes never make a header
        with pytest.raises(errors.IdxGzipBombError, match="more than the limit of 2 bytes"):
            idx.unpack(members, limit=2)

    def test_that_are_bombs_cost_no_memory(self):
        bomb = gzip.compress(header(0x08, 1000) + bytes(64 << 20))
        tracemalloc.start()
        try:
            with pytest.raises(errors.IdxGzipBombError, match="more than the 1,008 bytes"):
                idx.unpack(bomb)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 << 20

    def test_are_known_by_their_content_not_by_their_name(self, tmp_path):
        (tmp_path / "packed").write_bytes(PACKED)
        (tmp_path / "plain.gz").write_bytes(VECTOR)
        assert idx.read(tmp_path / "packed").tolist() == idx.read(tmp_path / "plain.gz").tolist() == [97, 98]

    def test_are_named_by_their_path_when_damaged(self, tmp_path):
        path = tmp_path / "labels.gz"
        path.write_bytes(PACKED[:-1])
        with pytest.raises(errors.IdxGzipDamagedError, match=str(path)):
            idx.read(path)


class TestWriting:
    def test_makes_the_same_bytes_from_the_same_array(self, tmp_path):
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir()
            idx.write(tmp_path / folder / f"{folder}.gz", np.arange(100, dtype=np.int32))
        packed = (tmp_path / "one/one.gz").read_bytes()
        assert packed == (tmp_path / "two/two.gz").read_bytes()
        assert packed[4:8] == bytes(4)  # no time

    def test_leaves_the_old_file_and_nothing_else_when_it_fails(self, tmp_path):
        path = tmp_path / "array"
        idx.write(path, np.zeros(2, np.uint8))
        before = path.read_bytes()
        with pytest.raises(errors.IdxError):
            idx.write(path, np.zeros(2, np.int64))
        assert path.read_bytes() == before
        (tmp_path / "folder").mkdir()
        with pytest.raises(OSError, match="folder"):
            idx.write(tmp_path / "folder", np.zeros(2, np.uint8))  # a rename onto a folder fails last of all
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["array", "folder"]

    def test_replaces_what_was_there(self, tmp_path):
        path = tmp_path / "array.gz"
        idx.write(path, np.zeros(2, np.uint8))
        idx.write(path, np.ones(3, np.uint8))
        assert idx.read(path).tolist() == [1, 1, 1]

    def test_gives_the_permissions_of_any_new_file(self, tmp_path):
        (tmp_path / "usual").touch()
        idx.write(tmp_path / "array", np.zeros(2, np.uint8))
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "array")}
        assert len(modes) == 1


class TestAnyBytes:
    """Whatever comes in: an array, or an IdxError."""

    @given(st.binary(max_size=200), st.sampled_from([None, 2049, 2051]))
    def test_parse_or_raise_idx_error(self, data, magic):
        self.tried(lambda: idx.parse(data, magic=magic))

    @given(st.integers(0, 255), st.lists(st.integers(0, 2**32 - 1), max_size=70), st.binary(max_size=8))
    def test_with_a_plausible_header_parse_or_raise_idx_error(self, code, shape, rest):
        self.tried(lambda: idx.parse(header(code, *shape) + rest))

    @given(st.sampled_from(list(BY_CODE)), st.lists(st.integers(0, 3), max_size=66), st.integers(0, 40))
    def test_with_a_small_header_parse_or_raise_idx_error(self, code, shape, rest):
        self.tried(lambda: idx.parse(header(code, *shape) + bytes(rest)))

    @given(st.binary(max_size=100))
    def test_behind_a_gzip_magic_unpack_or_raise_idx_error(self, rest):
        self.tried(lambda: idx.unpack(b"\x1f\x8b\x08" + rest))

    @given(st.binary(max_size=100), st.integers(0, 120), st.integers(0, 255))
    def test_with_one_byte_of_a_gzip_stream_replaced_unpack_or_raise_idx_error(self, content, position, byte):
        packed = bytearray(gzip.compress(header(0x08, len(content)) + content))
        packed[position % len(packed)] = byte
        self.tried(lambda: idx.unpack(bytes(packed)))

    @given(data=st.binary(max_size=100))
    def test_in_a_file_are_read_or_raise_idx_error(self, data, tmp_path_factory):
        path: Path = tmp_path_factory.mktemp("fuzz") / "file"
        path.write_bytes(data)
        self.tried(lambda: idx.read(path))

    @staticmethod
    def tried(act):
        with suppress(errors.IdxError):
            assert act() is not None
