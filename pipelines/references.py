"""What steps hand each other: a path and the digest of the bytes that must be there; never arrays, never pickles."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.artifact.trusted import Trusted, Validated
from core.data import idx
from core.data.durable import write_whole
from core.data.mnist import FILES, Mnist, MnistFile
from core.errors import DigestError


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True)

    @classmethod
    def recall(cls, path: Path) -> Self | None:
        """The reference that an earlier run stored as JSON; None if there is none, or none to rely on."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            return None


class FileRef(_Reference):
    """A file, and the sha256 that its bytes must have."""

    path: Path
    sha256: str

    @classmethod
    def store(cls, path: Path, data: bytes) -> Self:
        """Write a file and return a reference to it. At any moment, the file is the old one or the new one, complete.

        Raises:
            StorageError: It cannot be written.
        """
        write_whole(path, data)
        return cls(path=path, sha256=_sha256(data))

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            DigestError: The file has changed since it was referred to.
            OSError: The file cannot be read.
        """
        return _checked(self.path, self.path.read_bytes(), self.sha256)

    def holds(self) -> bool:
        """Whether the file exists and has the expected bytes."""
        try:
            self.read()
        except (OSError, DigestError):
            return False
        return True


class NewDataRef(_Reference):
    """Labeled pictures from folders and from users, as `pipelines.new_data.kept.keep` has written them.

    Attributes:
        training: What is trained on, packed; None if there is nothing.
        held_out: What is held out, packed; None if there is nothing.
        account: Where all of it comes from: a `core.artifact.origin.NewDataProvenance`.
    """

    training: FileRef | None
    held_out: FileRef | None
    account: FileRef


class TeacherRef(_Reference):
    """A published version that teaches, as `pipelines.retrain.teaching` has found it.

    Attributes:
        repository: Where it is published.
        name: What the recipe named it by, in words.
        version: Its number.
        recipe_name: The recipe that it was trained with.
        test_accuracy: Its accuracy on the test images, 0 to 1.
        weights_sha256: Of its weight file.
        sha256: Of all that decides its answers: weights, structure and normalization.
    """

    repository: str
    name: str
    version: int
    recipe_name: str
    test_accuracy: float
    weights_sha256: str
    sha256: str


class DatasetRef(_Reference):
    """The four MNIST files, and what is trained on in addition, if anything.

    Attributes:
        files: By name, without `.gz`; the digests are those of the unpacked bytes.
        train_images: How many images the training files hold, validation images included.
        test_images: How many images the test files hold.
        new_data: Labeled pictures from folders and from users; None if no folder was named.
        styles: Images drawn by code, as `pipelines.retrain.styles.draw` packed them.
        trusted: How new pictures were sorted; `new_data` holds those that are trusted. None if none was offered.
        validated: What the validation of all data found.
        teacher: The version whose answers to the images are learned beside their labels; None if there is none.
    """

    files: Mapping[str, FileRef]
    train_images: int
    test_images: int
    new_data: NewDataRef | None = None
    styles: FileRef | None = None
    trusted: Trusted | None = None
    validated: Validated | None = None
    teacher: TeacherRef | None = None

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of each unpacked file, by name."""
        return {name: file.sha256 for name, file in self.files.items()}

    @property
    def deciding(self) -> dict[str, str]:
        """The digests of all data that decides the weights: of the files, of new data that trains, of the teacher.

        Drawn images are left out: the recipe and the code decide them, and a fingerprint covers both.
        """
        training = self.new_data and self.new_data.training
        beside = {"new data": training, "teacher": self.teacher}
        return self.digests | {name: found.sha256 for name, found in beside.items() if found}


class TrainedRef(_Reference):
    """The results of training: the weights and the epoch reports."""

    weights: FileRef
    history: FileRef


_SETS_KEPT = 2
"""Data sets that stay parsed in memory, 55 MB each: a run needs one, and a test may compare two."""

_parsed: dict[tuple[tuple[str, str], ...], Mnist] = {}
"""Data sets by their files' digests: for each file, the expected one of its unpacked bytes and the one of its bytes on
disk. The oldest entry comes first.
"""


def read_mnist(files: Mapping[str, FileRef]) -> Mnist:
    """Read, check, unpack and parse the four files.

    Every call reads the files and hashes what is on disk, so a file that has changed since it was referred to is
    noticed by every step. Bytes that have passed before in this process are not unpacked, checked and parsed again.

    Args:
        files: By the names in `core.data.mnist.FILES`, gzipped or plain.

    Returns:
        Read-only arrays; the same object for the same bytes.

    Raises:
        DigestError: A file is no longer the one that was referred to.
        DataError: The files do not make a data set.
    """
    refs = [files[known.name] for known in FILES]
    stored = [ref.path.read_bytes() for ref in refs]
    key = tuple((ref.sha256, _sha256(data)) for ref, data in zip(refs, stored, strict=True))
    if key not in _parsed:
        arrays = {known.role: _parse(known, ref, data) for known, ref, data in zip(FILES, refs, stored, strict=True)}
        _parsed[key] = Mnist(**arrays)
        for oldest in list(_parsed)[:-_SETS_KEPT]:
            del _parsed[oldest]
    return _parsed[key]


def _parse(known: MnistFile, ref: FileRef, data: bytes) -> NDArray[np.uint8]:
    if data.startswith(idx.GZIP_MAGIC):
        data = idx.unpack(data, name=ref.path.name)
    array: NDArray[np.uint8] = idx.parse(_checked(ref.path, data, ref.sha256), name=ref.path.name, magic=known.magic)
    return array


def _checked(path: Path, data: bytes, sha256: str) -> bytes:
    found = _sha256(data)
    if found != sha256:
        raise DigestError(f"{path}: sha256 {found}, expected {sha256}; did another process write to it? Run again")
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
