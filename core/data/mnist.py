"""MNIST: the four files that it consists of, and the arrays in them."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.data import idx
from core.digit import LABELS, SIDE
from core.errors import DatasetError

__all__ = ["FILES", "Mnist", "MnistFile", "Role", "load", "locate"]

IMAGES_MAGIC = 2051  # uint8, rank 3
LABELS_MAGIC = 2049  # uint8, rank 1

Role = Literal["train_images", "train_labels", "test_images", "test_labels"]


@dataclass(frozen=True)
class MnistFile:
    """One of the four files, with its pinned size and digest.

    Attributes:
        name: Without `.gz`.
        role: The field of `Mnist` that it fills.
        size: Of the unpacked file, in bytes.
        sha256: Of the unpacked file, in hexadecimal; mirrors serve the same bytes in different gzip streams.
        magic: Its first four bytes, as one integer.
    """

    name: str
    role: Role
    size: int
    sha256: str
    magic: int


FILES = (
    MnistFile(
        name="train-images-idx3-ubyte",
        role="train_images",
        size=47_040_016,
        sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        magic=IMAGES_MAGIC,
    ),
    MnistFile(
        name="train-labels-idx1-ubyte",
        role="train_labels",
        size=60_008,
        sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        magic=LABELS_MAGIC,
    ),
    MnistFile(
        name="t10k-images-idx3-ubyte",
        role="test_images",
        size=7_840_016,
        sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        magic=IMAGES_MAGIC,
    ),
    MnistFile(
        name="t10k-labels-idx1-ubyte",
        role="test_labels",
        size=10_008,
        sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        magic=LABELS_MAGIC,
    ),
)


@dataclass(frozen=True, eq=False)
class Mnist:
    """Training and test images with their digits; the constructor checks that they are consistent.

    Attributes:
        train_images: uint8 (N, 28, 28), 0 background to 255 ink. N is 60,000 in MNIST; other sizes are fine.
        train_labels: uint8 (N,), 0 to 9.
        test_images: uint8 (M, 28, 28); M is 10,000 in MNIST.
        test_labels: uint8 (M,).
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Check both splits.

        Raises:
            DatasetError: Shapes, counts or labels are not those of a data set.
        """
        _check("train", self.train_images, self.train_labels)
        _check("test", self.test_images, self.test_labels)


def _check(split: str, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise DatasetError(f"{split} images: {images.dtype} {images.shape}, expected uint8 (N, 28, 28)")
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DatasetError(f"{split} labels: {labels.dtype} {labels.shape}, expected uint8 (N,)")
    if len(images) != len(labels):
        raise DatasetError(
            f"{split}: {len(images):,} images, but {len(labels):,} labels; do the two files belong together?"
        )
    if not len(images):
        raise DatasetError(f"{split}: no image, expected at least one")
    if labels.max() >= len(LABELS):
        worst = int(labels.argmax())
        raise DatasetError(f"{split} labels: {labels[worst]} for image {worst:,}, expected a digit from 0 to 9")


def locate(folder: Path, file: MnistFile) -> list[Path]:
    """Where a folder holds one of the files, under any of the names and in any of the layouts that it is passed on in.

    `train-images-idx3-ubyte` may end in `.gz`, have capitals, or another separator, as in `train-images.idx3-ubyte`; or
    it is in a folder of such a name, as tools unpack it that make a folder for each file of an archive.

    Returns:
        The files that exist, the usual names first, and of each name the plain one before the gzipped one.

    Raises:
        OSError: The folder cannot be read.
    """
    found = []
    for entry in _entries(folder, file):
        found += [inner for inner in _entries(entry, file) if inner.is_file()] if entry.is_dir() else [entry]

    def unusual(path: Path) -> tuple[bool, bool, bool, Path]:
        return path.parent != folder, path.name.removesuffix(".gz") != file.name, path.suffix == ".gz", path

    return sorted((path for path in found if path.is_file()), key=unusual)


def _entries(folder: Path, file: MnistFile) -> list[Path]:
    """What in a folder is named like the file; nothing if there is no such folder."""
    try:
        return [entry for entry in folder.iterdir() if _known_as(entry.name) == file.name]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _known_as(name: str) -> str:
    """The usual name of a file that may be named a little differently."""
    return re.sub(r"[._ ]", "-", name.lower().removesuffix(".gz"))


def load(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Mnist:
    """Read the four files, gzipped or not.

    Args:
        source: The folder that holds them, see `locate`, or their paths in any order. They are recognized by their
            names in `FILES`; if there are several files of one name, the first is read.

    Returns:
        The arrays, read-only.

    Raises:
        DatasetError: A file is missing, or the four do not belong together.
        IdxError: A file is not well-formed, or does not hold what its name says.
        OSError: A file cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        folder = Path(source)
        where, paths = str(folder), [path for file in FILES for path in locate(folder, file)]
    else:
        paths = [Path(path) for path in source]
        where = f"the {len(paths)} paths given"
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(_known_as(path.name), path)
    missing = [file.name for file in FILES if file.name not in found]
    if missing:
        raise DatasetError(f"{where}: {', '.join(missing)} missing, with or without .gz; fetch the files first")
    arrays = {file.role: idx.read(found[file.name], magic=file.magic) for file in FILES}
    return Mnist(**arrays)
