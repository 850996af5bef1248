"""MNIST: four files make a data set, or an error says why they do not."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from core import errors
from core.data import idx
from core.data.mnist import FILES, Mnist, MnistFile, load, locate
from core.digit import LABELS

SHIPPED = Path(__file__).parents[3] / "data" / "mnist"


def arrays(train: int = 6, test: int = 4) -> dict[str, np.ndarray]:
    """A small set: image i is filled with i, and labeled i mod 10."""
    return {
        "train-images-idx3-ubyte": np.stack([np.full((28, 28), i, np.uint8) for i in range(train)]),
        "train-labels-idx1-ubyte": np.arange(train, dtype=np.uint8) % 10,
        "t10k-images-idx3-ubyte": np.stack([np.full((28, 28), i, np.uint8) for i in range(test)]),
        "t10k-labels-idx1-ubyte": np.arange(test, dtype=np.uint8) % 10,
    }


def written(folder: Path, suffix: str = "", **changes: np.ndarray) -> list[Path]:
    """The small set as files; a change is named by what its file begins with."""
    paths = []
    for name, array in arrays().items():
        changed = next((new for start, new in changes.items() if name.startswith(start.replace("_", "-"))), array)
        paths.append(folder / f"{name}{suffix}")
        idx.write(paths[-1], changed)
    return paths


class TestLoading:
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_takes_a_folder_gzipped_or_plain(self, tmp_path, suffix):
        written(tmp_path, suffix)
        mnist = load(tmp_path)
        for role, array in zip([file.role for file in FILES], arrays().values(), strict=True):
            np.testing.assert_array_equal(getattr(mnist, role), array)

    def test_takes_paths_in_any_order(self, tmp_path):
        paths = written(tmp_path, ".gz")
        mnist = load(reversed(paths))
        assert (len(mnist.train_images), len(mnist.test_images)) == (6, 4)
        np.testing.assert_array_equal(mnist.train_images[:, 14, 14], mnist.train_labels)

    def test_takes_a_folder_named_by_a_string(self, tmp_path):
        written(tmp_path)
        assert load(str(tmp_path)).test_labels.tolist() == [0, 1, 2, 3]

    def test_prefers_the_plain_file_where_there_are_both(self, tmp_path):
        written(tmp_path)
        (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(b"never opened")
        assert load(tmp_path).test_labels.tolist() == [0, 1, 2, 3]

    def test_names_the_missing_files(self, tmp_path):
        for path in written(tmp_path)[2:]:
            path.unlink()
        words = f"{re.escape(str(tmp_path))}: t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte missing"
        with pytest.raises(errors.DatasetError, match=words):
            load(tmp_path)

    def test_names_the_missing_paths(self, tmp_path):
        with pytest.raises(errors.DatasetError, match="the 3 paths given: train-images-idx3-ubyte missing"):
            load(written(tmp_path)[1:])

    def test_notices_swapped_files(self, tmp_path):
        written(tmp_path, train_labels=arrays()["train-images-idx3-ubyte"])
        with pytest.raises(errors.IdxMagicError, match=r"train-labels.*magic 2051, expected 2049; was an images file"):
            load(tmp_path)


class TestACoherentSet:
    def test_has_as_many_labels_as_images(self, tmp_path):
        written(tmp_path, train_labels=np.zeros(5, np.uint8))
        with pytest.raises(errors.DatasetError, match="train: 6 images, but 5 labels"):
            load(tmp_path)

    def test_has_images_of_28_by_28(self, tmp_path):
        written(tmp_path, t10k_images=np.zeros((4, 28, 27), np.uint8))
        with pytest.raises(
            errors.DatasetError, match=r"test images: uint8 \(4, 28, 27\), expected uint8 \(N, 28, 28\)"
        ):
            load(tmp_path)

    def test_has_digits_for_labels(self, tmp_path):
        written(tmp_path, t10k_labels=np.array([0, 9, 10, 3], np.uint8))
        with pytest.raises(errors.DatasetError, match="test labels: 10 for image 2, expected a digit from 0 to 9"):
            load(tmp_path)

    def test_is_not_empty(self, tmp_path):
        nothing = {"t10k_images": np.zeros((0, 28, 28), np.uint8), "t10k_labels": np.zeros(0, np.uint8)}
        written(tmp_path, **nothing)
        with pytest.raises(errors.DatasetError, match="test: no image"):
            load(tmp_path)

    @pytest.mark.parametrize("change", [{"train_images": np.zeros((6, 28, 28))}, {"train_labels": np.zeros((6, 1))}])
    def test_is_checked_however_it_is_made(self, change):
        parts = dict(zip([file.role for file in FILES], arrays().values(), strict=True)) | change
        with pytest.raises(errors.DatasetError, match=r"train .*float64"):
            Mnist(**parts)


class TestTheRealSet:
    def test_is_the_one_that_ships_with_the_repository(self):
        mnist = load(SHIPPED)
        assert mnist.train_images.shape == (60_000, 28, 28)
        assert mnist.test_images.shape == (10_000, 28, 28)
        assert mnist.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
        assert np.bincount(mnist.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_has_the_pinned_sizes_and_digests(self, file):
        data = idx.unpack((SHIPPED / f"{file.name}.gz").read_bytes(), name=file.name, limit=file.size)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)
        assert int.from_bytes(data[:4], "big") == file.magic

    def test_has_ten_labels(self):
        assert LABELS == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@pytest.mark.parametrize(
    "name",
    [
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "train-images.idx3-ubyte",
        "TRAIN-IMAGES-IDX3-UBYTE.GZ",
        "train_images_idx3_ubyte",
        "train-images-idx3-ubyte/train-images-idx3-ubyte",
        "train-images.idx3-ubyte/train-images.idx3-ubyte",
    ],
)
def test_a_file_is_located_under_the_names_and_in_the_layouts_it_is_passed_on_in(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    for other in ("t10k-images-idx3-ubyte", "train-images-idx3-ubyte.gz.part", "train-labels-idx1-ubyte"):
        (tmp_path / other).touch()
    assert locate(tmp_path, FILES[0]) == [tmp_path / name]


def test_of_several_files_of_one_name_the_usual_and_plain_one_comes_first(tmp_path: Path) -> None:
    names = ["images", "images.gz", "IMAGES", "Images/images"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    file = MnistFile("images", "train_images", 0, "", 0)
    assert [str(path.relative_to(tmp_path)) for path in locate(tmp_path, file)] == names


def test_in_a_missing_folder_nothing_is_located(tmp_path: Path) -> None:
    assert locate(tmp_path / "missing", FILES[0]) == []
