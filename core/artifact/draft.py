"""A version that is being published: its number is claimed, its files are added, and its manifest comes last."""

from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from core.artifact.manifest import MANIFEST, FileEntry, Manifest
from core.artifact.objects import Objects
from core.artifact.pruning import is_mark
from core.errors import ArtifactError, RepositoryError

__all__ = ["Draft"]


@dataclass
class Draft:
    """A version number that is claimed but not yet published: the version does not exist until `publish`.

    As a context manager, it gives the number back if the block fails: a disk that was too full for the report is not
    filled further by the weights of a version that will never be.
    """

    version: int
    files: dict[str, FileEntry] = field(default_factory=dict)
    _objects: Objects = field(kw_only=True, repr=False)
    _model: str = field(kw_only=True)
    _in_doubt: bool = field(default=False, kw_only=True, repr=False)

    def add(self, filename: str, data: bytes) -> None:
        """Store one more file of the version.

        Raises:
            RepositoryError: The file exists already, or cannot be written.
        """
        self._create(filename, data)
        self.files[filename] = FileEntry.of(data)

    def publish(self, manifest: Manifest) -> None:
        """Write the manifest: from then on the version exists.

        Raises:
            ArtifactError: The manifest describes another version, or other files.
            RepositoryError: It cannot be written; or the number was taken for abandoned meanwhile, because it was
                claimed so long ago, and a file was deleted. Then the version does not exist.
        """
        described = (manifest.name, manifest.version, manifest.files)
        if described != (self._model, self.version, self.files):
            raise ArtifactError(f"the manifest of {manifest.name} {manifest.version} does not describe draft {self}")
        self._in_doubt = True
        self._create(MANIFEST, manifest.encode())
        # See core.artifact.pruning: what is written comes first, the look for a pruner afterwards.
        present = {found.path.rpartition("/")[2] for found in self._objects.list(self._folder)}
        if not self.files.keys() <= present or any(map(is_mark, present)):
            self._objects.delete(f"{self._folder}/{MANIFEST}")
            raise RepositoryError(
                f"repository {self._objects.url}: {self._folder} was taken for abandoned and is being deleted, "
                "because its number was claimed more than a day ago; publish again"
            )

    def abandon(self) -> None:
        """Give the number back: delete what was written, the weights last, which hold the number.

        Nothing is deleted once the manifest may have been written, even if the storage has answered with an error. What
        cannot be deleted now is deleted by age.
        """
        with suppress(ArtifactError):
            if self._in_doubt and (self._objects.location.folder is None or self._objects.get(self._path(MANIFEST))):
                return
            for filename in reversed(self.files):
                self._objects.delete(self._path(filename))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abandon()

    @property
    def _folder(self) -> str:
        return f"{self._model}/{self.version}"

    def _path(self, filename: str) -> str:
        return f"{self._folder}/{filename}"

    def _create(self, filename: str, data: bytes) -> None:
        path = self._path(filename)
        if not self._objects.create(path, data):
            raise RepositoryError(f"repository {self._objects.url}: {path} is there already; it is never overwritten")
