"""What tasks hand each other: a path and the digest of what must be found there. Never arrays, never pickles."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from core.data import idx
from core.data.mnist import FILES, Mnist
from core.errors import DigestError


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True)


class FileRef(_Reference):
    """A file, and the sha256 that its bytes must have."""

    path: Path
    sha256: str

    @classmethod
    def store(cls, path: Path, data: bytes) -> Self:
        """Write a file, whole or not at all, and refer to it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        return cls(path=path, sha256=hashlib.sha256(data).hexdigest())

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            DigestError: They are not the ones that were referred to.
        """
        return _checked(self.path, self.path.read_bytes(), self.sha256)

    def holds(self) -> bool:
        """Whether the file is there, with the right bytes."""
        try:
            self.read()
        except (OSError, DigestError):
            return False
        return True


class DatasetRef(_Reference):
    """The four MNIST files, by name; the digests are those of the unpacked bytes. And what users added to them."""

    files: Mapping[str, FileRef]
    train_images: int
    test_images: int
    feedback: FileRef | None = None

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of each unpacked file, by name."""
        return {name: file.sha256 for name, file in self.files.items()}

    @property
    def deciding(self) -> dict[str, str]:
        """The digests of everything that the weights come from: the files, and the feedback, where there is any."""
        return self.digests | ({"feedback": self.feedback.sha256} if self.feedback else {})


class TrainedRef(_Reference):
    """What training left: the weights, and the epoch reports."""

    weights: FileRef
    history: FileRef


def read_mnist(files: Mapping[str, FileRef]) -> Mnist:
    """Unpack, check and parse the four files.

    Raises:
        DigestError: A file is no longer the one that was referred to.
        DataError: The files do not make a data set.
    """
    arrays = {}
    for known in FILES:
        ref = files[known.name]
        data = ref.path.read_bytes()
        if data.startswith(idx.GZIP_MAGIC):
            data = idx.unpack(data, name=ref.path.name)
        arrays[known.role] = idx.parse(_checked(ref.path, data, ref.sha256), name=ref.path.name, magic=known.magic)
    return Mnist(**arrays)


def _checked(path: Path, data: bytes, sha256: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DigestError(f"{path}: sha256 {found}, expected {sha256}; did another process write to it? Run again")
    return data
