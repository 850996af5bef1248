"""References: a path and a digest, so that a file that has changed since is noticed."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data import idx, mnist
from core.errors import DigestError, IdxError, StorageError
from pipelines import references
from pipelines.references import DatasetRef, FileRef, read_mnist


def test_stored_bytes_are_read_back(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "deep" / "result.json", b"{}")
    assert ref.read() == b"{}"
    assert ref.holds()


def test_a_file_that_changed_is_refused_with_both_digests(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    ref.path.write_bytes(b"[]")
    with pytest.raises(DigestError, match=f"sha256 [0-9a-f]{{64}}, expected {ref.sha256}"):
        ref.read()
    assert not ref.holds()


def test_a_missing_file_does_not_hold(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    ref.path.unlink()
    assert not ref.holds()


def test_storing_replaces_the_file_and_leaves_no_other_behind(tmp_path: Path) -> None:
    FileRef.store(tmp_path / "result.json", b"old" * 1000)
    ref = FileRef.store(tmp_path / "result.json", b"new")
    assert ref.read() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_bytes_that_cannot_be_stored_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/weights: "):
        FileRef.store(tmp_path / "file" / "weights", b"data")


@pytest.mark.parametrize("damage", [None, b"", b"{", b"[]", b'{"path": "/x"}'])
def test_a_reference_that_was_lost_or_damaged_is_not_recalled(damage: bytes | None, tmp_path: Path) -> None:
    place = tmp_path / "reference.json"
    reference = FileRef.store(tmp_path / "file", b"data")
    FileRef.store(place, reference.model_dump_json().encode())
    assert FileRef.recall(place) == reference
    place.unlink()
    if damage is not None:
        place.write_bytes(damage)
    assert FileRef.recall(place) is None


def test_a_reference_is_equal_after_a_round_trip_through_json(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    assert FileRef.model_validate_json(ref.model_dump_json()) == ref


def altered(dataset: DatasetRef, folder: Path, name: str, change: Callable[[bytes], bytes]) -> dict[str, FileRef]:
    """The files of a data set, one of them a copy with other bytes and the same expected digest."""
    path = folder / f"{name}.gz"
    path.write_bytes(change(dataset.files[name].path.read_bytes()))
    return dict(dataset.files) | {name: FileRef(path=path, sha256=dataset.files[name].sha256)}


@pytest.fixture
def parsed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed from now on, with nothing parsed before."""
    monkeypatch.setattr(references, "_parsed", {})
    names: list[str] = []
    parse = idx.parse

    def counted(data: bytes, *, name: str, magic: int) -> NDArray[np.uint8]:
        names.append(name)
        return parse(data, name=name, magic=magic)

    monkeypatch.setattr(idx, "parse", counted)
    return names


def test_a_data_set_is_parsed_once_and_read_only(dataset: DatasetRef, parsed_files: list[str]) -> None:
    first = read_mnist(dataset.files)
    assert read_mnist(dict(dataset.files)) is first
    assert len(parsed_files) == len(mnist.FILES)
    with pytest.raises(ValueError, match="read-only"):
        first.train_images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        first.test_labels[0] = 1


def test_the_same_bytes_packed_otherwise_are_checked_again(
    dataset: DatasetRef, tmp_path: Path, parsed_files: list[str]
) -> None:
    first = read_mnist(dataset.files)
    files = altered(dataset, tmp_path, "t10k-labels-idx1-ubyte", gzip.decompress)
    again = read_mnist(files)
    assert again is not first
    np.testing.assert_array_equal(again.test_labels, first.test_labels)
    assert len(parsed_files) == 2 * len(mnist.FILES)


@pytest.mark.parametrize("name", [file.name for file in mnist.FILES])
def test_a_file_that_changes_after_it_was_parsed_is_refused(dataset: DatasetRef, tmp_path: Path, name: str) -> None:
    files = altered(dataset, tmp_path, name, lambda data: data)
    read_mnist(files)
    path, times = files[name].path, files[name].path.stat()
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # a change that leaves its time of change unchanged
    with pytest.raises(DigestError, match=f"{name}.gz: sha256 .* expected {files[name].sha256}"):
        read_mnist(files)


def test_a_damaged_gzip_stream_is_refused_after_the_sound_one_was_parsed(dataset: DatasetRef, tmp_path: Path) -> None:
    name = "train-labels-idx1-ubyte"
    read_mnist(dataset.files)
    with pytest.raises(IdxError, match=f"{name}.gz: "):
        read_mnist(altered(dataset, tmp_path, name, lambda data: data[:-9]))


def test_a_file_that_vanished_after_it_was_parsed_is_an_error(dataset: DatasetRef, tmp_path: Path) -> None:
    name = "train-labels-idx1-ubyte"
    files = altered(dataset, tmp_path, name, lambda data: data)
    read_mnist(files)
    files[name].path.unlink()
    with pytest.raises(FileNotFoundError):
        read_mnist(files)


def test_bytes_that_passed_for_one_digest_do_not_pass_for_another(dataset: DatasetRef) -> None:
    name = "train-labels-idx1-ubyte"
    read_mnist(dataset.files)
    expected = FileRef(path=dataset.files[name].path, sha256="0" * 64)
    with pytest.raises(DigestError, match="expected 0000"):
        read_mnist(dict(dataset.files) | {name: expected})


def test_no_more_than_two_data_sets_stay_in_memory(
    dataset: DatasetRef, tmp_path: Path, parsed_files: list[str]
) -> None:
    read_mnist(dataset.files)
    for level in (1, 5, 9):
        name = "t10k-images-idx3-ubyte"
        read_mnist(altered(dataset, tmp_path, name, lambda d, level=level: gzip.compress(gzip.decompress(d), level)))
    assert len(references._parsed) == 2
