"""IDX files larger than memory: the same checks and arrays as when read, and memory that is released."""

import gzip
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from core import errors
from core.data import header, idx
from core.data.large import memory_map, release, writer
from tests.core.data.test_idx import MALFORMED

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    idx.write(tmp_path / "images", IMAGES)
    return tmp_path / "images"


needs_peak = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak of memory")


def zeros(folder: Path, count: int) -> Path:
    """A file of black images; sparse, so that it takes no room on the disk."""
    path = folder / "images"
    with path.open("wb") as file:
        file.write(header.encode_header(np.dtype(np.uint8), (count, 28, 28)))
        file.truncate(16 + count * 784)
    return path


def growth(program: str, path: Path) -> int:
    """By how many MiB the peak of resident memory rises when a process of its own runs `program` on mapped `images`."""
    whole = f"""
from pathlib import Path
import numpy as np
from core.data.batches import Batches
from core.data.large import memory_map
from core.data.normalize import Normalizer
from core.data.shuffle import Blocks
from core.errors import DatasetError

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

images = memory_map({str(path)!r}, magic=2051)
before = peak()
{dedent(program)}
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


class TestMapped:
    def test_images_are_those_of_the_file(self, path: Path) -> None:
        mapped = memory_map(path, magic=2051)
        np.testing.assert_array_equal(mapped, IMAGES)
        assert mapped.dtype == np.uint8

    @pytest.mark.parametrize("dtype", header.DTYPES.values(), ids=str)
    def test_numbers_of_any_type_are_those_that_reading_gives(self, dtype: np.dtype[Any], tmp_path: Path) -> None:
        idx.write(tmp_path / "numbers", np.arange(-3, 9).reshape(3, 4).astype(dtype))
        np.testing.assert_array_equal(memory_map(tmp_path / "numbers"), idx.read(tmp_path / "numbers"))

    @pytest.mark.parametrize("shape", [(), (0,), (0, 28, 28)])
    def test_files_of_little_more_than_a_header_are_fine(self, shape: tuple[int, ...], tmp_path: Path) -> None:
        idx.write(tmp_path / "small", np.ones(shape, np.uint8))
        assert memory_map(tmp_path / "small").shape == shape

    def test_images_cannot_be_written_to(self, path: Path) -> None:
        mapped = memory_map(path)
        with pytest.raises(ValueError, match="read-only"):
            mapped[0, 0, 0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            mapped.flags.writeable = True

    def test_images_outlive_the_name_of_their_file(self, path: Path) -> None:
        mapped = memory_map(path)
        idx.write(path, np.zeros((1, 28, 28), np.uint8))
        path.unlink()
        release(mapped)
        np.testing.assert_array_equal(mapped, IMAGES)

    def test_files_may_be_larger_than_what_is_read_into_memory(self, tmp_path: Path) -> None:
        count = idx.LIMIT // 784 + 1
        assert memory_map(zeros(tmp_path, count), magic=2051).shape == (count, 28, 28)

    @pytest.mark.parametrize(
        ("data", "error", "words"),
        [case for name, case in MALFORMED.items() if not name.startswith("a huge product")],
        ids=[name for name in MALFORMED if not name.startswith("a huge product")],
    )
    def test_malformed_files_are_refused_as_when_read(
        self, data: bytes, error: type[Exception], words: str, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(data)
        words = words.replace("^train-labels", str(tmp_path))
        with pytest.raises(error, match=f"^{tmp_path / 'file'}: .*{words}"):
            memory_map(tmp_path / "file")

    def test_files_that_announce_more_than_they_hold_are_cut_short(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(header.encode_header(np.dtype(np.uint8), (2**31 - 1, 2**20, 2)))
        with pytest.raises(errors.IdxTruncatedError, match="16 bytes, but the header announces"):
            memory_map(tmp_path / "file")

    def test_gzip_is_refused_with_the_next_step(self, path: Path) -> None:
        path.write_bytes(gzip.compress(path.read_bytes()))
        for magic in (None, 2051):
            with pytest.raises(errors.IdxMagicError, match="this is gzip, unpack it first"):
                memory_map(path, magic=magic)

    def test_another_kind_of_file_is_refused(self, path: Path) -> None:
        with pytest.raises(errors.IdxMagicError, match="magic 2051, expected 2049; was an images file passed?"):
            memory_map(path, magic=2049)


class TestLettingGo:
    def test_changes_no_pixel(self, path: Path) -> None:
        mapped = memory_map(path)
        kept = mapped.copy()
        release(mapped)
        np.testing.assert_array_equal(mapped, kept)

    def test_leaves_alone_what_is_in_memory(self) -> None:
        array = IMAGES.copy()
        release(array)
        release(array[3:])
        np.testing.assert_array_equal(array, IMAGES)

    @pytest.mark.parametrize("mode", ["c", "r+"])
    def test_does_not_lose_what_was_written_to_a_map(self, mode: str, path: Path) -> None:
        mapped = np.memmap(path, np.uint8, mode=mode, offset=16)  # type: ignore[call-overload]
        mapped[:] = 7
        release(mapped)
        assert (mapped == 7).all()

    @needs_peak
    @pytest.mark.parametrize("order", ["rng=np.random.default_rng(0), blocks=Blocks()", "rng=None"])
    @pytest.mark.parametrize("workers", [0, 2])
    def test_keeps_a_pass_over_a_large_file_in_little_memory(self, order: str, workers: int, tmp_path: Path) -> None:
        program = f"""
            batches = Batches(images, np.zeros(len(images), np.uint8), batch_size=1000, {order}, workers={workers})
            assert sum(len(x) for x, _ in batches if x.sum() == 0) == len(images)
        """
        # Of 748: a stretch or two, each block of it rounded up to the system's large pages.
        assert growth(program, zeros(tmp_path, 1_000_000)) < 400

    @needs_peak
    def test_keeps_the_normalization_of_a_large_file_in_little_memory(self, tmp_path: Path) -> None:
        program = """
            try:
                Normalizer.fit(images)
            except DatasetError as error:
                assert "all their pixels are alike" in str(error)
        """
        assert growth(program, zeros(tmp_path, 400_000)) < 150  # of 299


class TestWritten:
    def test_pieces_make_the_file_that_the_whole_makes(self, tmp_path: Path) -> None:
        with writer(tmp_path / "pieces", (28, 28)) as append:
            for start in (0, 7, 7, 49):
                append(IMAGES[start : {0: 7, 7: 7, 49: 50}[start]])
        np.testing.assert_array_equal(idx.read(tmp_path / "pieces"), IMAGES[[*range(7), 49]])

    @pytest.mark.parametrize("dtype", header.DTYPES.values(), ids=str)
    def test_numbers_of_any_type_are_written_as_idx_wants_them(self, dtype: np.dtype[Any], tmp_path: Path) -> None:
        array = np.arange(60).reshape(10, 6).astype(dtype)[:, ::2]
        with writer(tmp_path / "pieces", (3,), dtype) as append:
            append(array[:4])
            append(array[4:])
        assert (tmp_path / "pieces").read_bytes() == idx.encode(array)

    def test_nothing_appended_makes_an_empty_file(self, tmp_path: Path) -> None:
        with writer(tmp_path / "labels"):
            pass
        assert idx.read(tmp_path / "labels", magic=2049).shape == (0,)

    def test_an_error_leaves_no_file_behind(self, path: Path) -> None:
        before = path.read_bytes()
        writing = writer(path, (28, 28))
        append = writing.__enter__()
        append(IMAGES)
        assert not writing.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
        assert [file.name for file in path.parent.iterdir()] == [path.name]
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        ("items", "found"),
        [
            (np.zeros((5, 28, 27), np.uint8), r"uint8 \(5, 28, 27\)"),
            (np.zeros((28, 28), np.uint8), r"uint8 \(28, 28\)"),
            (np.zeros((5, 28, 28), np.float32), r"float32 \(5, 28, 28\)"),
        ],
    )
    def test_pieces_that_do_not_fit_are_refused(self, items: Any, found: str, tmp_path: Path) -> None:
        with (
            pytest.raises(errors.IdxError, match=rf"{found}, expected uint8 \(…, 28, 28\)"),
            writer(tmp_path / "images", (28, 28)) as append,
        ):
            append(items)

    def test_a_type_that_idx_does_not_know_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(errors.IdxError, match="cannot encode int64"), writer(tmp_path / "x", (), np.int64):
            pass

    def test_a_name_that_ends_in_gz_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(errors.IdxError, match=r"drop the \.gz"), writer(tmp_path / "x.gz"):
            pass
