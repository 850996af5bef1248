"""Objects by path, on disk, in a bucket or in memory: the few operations that the repository needs."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from stat import S_ISDIR
from threading import Lock
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from core.artifact.bucket import check_endpoint, create_object, open_bucket
from core.artifact.causes import cause
from core.artifact.creation import create_file, remove_file
from core.artifact.folder import StoredObject, Survey, read_file, survey_folder
from core.artifact.location import Location
from core.errors import DamagedVersionError, RepositoryError

S = TypeVar("S")
T = TypeVar("T")

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes. The manifest of a version has some 30 kB, a move of an alias 300 bytes."""

AT_ONCE = 16
"""Requests to a bucket: each takes some ten milliseconds, nearly all of which is waiting."""


class Objects:
    """One object store. Objects are created only if absent, complete or not at all.

    Any number of threads may use it at once.
    """

    def __init__(self, url: str, *, writable: bool = False) -> None:
        """Name a store.

        Args:
            url: As `core.artifact.location` reads it. Credentials are found as the store's own library looks for them.
            writable: Whether to create a missing local folder.

        Raises:
            ConfigError: It names no store, or the environment no endpoint.
        """
        # The folder by the name that was given: where a link in it leads is found out at each access, so that a
        # deployment may switch the link.
        self.location = Location.parse(url)
        self.url = self.location.url
        check_endpoint(self.url)
        self._writable = writable
        self._seen = False
        self._opening = Lock()
        self._kept: ObjectStore | None = None

    def exists(self) -> bool:
        """Whether the local folder exists; a bucket is assumed to.

        Raises:
            RepositoryError: Something else is in its place, such as a file or a loop of links; or it cannot be told,
                because a folder above it may not be entered.
        """
        if self.location.folder is None:
            return True
        with self._translated("find its folder"):
            try:
                status = self.location.folder.stat()
            except FileNotFoundError:
                return False
            if not S_ISDIR(status.st_mode):
                raise NotADirectoryError("there is a file in its place")
            return True

    def list(self, prefix: str) -> list[StoredObject]:
        """All objects below `prefix`, in the order of their paths."""
        if self.location.folder is not None:
            return self.survey(prefix).objects
        with self._translated(f"list {prefix}"):
            found = obstore.list(self._bucket(), prefix).collect()
        return sorted(StoredObject(o["path"], o["size"], o["last_modified"], o["e_tag"]) for o in found)

    def survey(self, prefix: str) -> Survey:
        """The same, and what else lies there. One bad entry of a folder does not hide the others."""
        folder = self.location.folder
        if folder is None:
            return Survey(self.list(prefix), {}, [], set())
        with self._translated(f"list {prefix}"):
            self._require_folder()
            return survey_folder(folder, _plain(prefix))

    def get(self, path: str, most: int = LARGEST_DOCUMENT) -> bytes | None:
        """The object's bytes; None if there is no such object.

        Args:
            path: Where it is.
            most: The most bytes that are read; by default, those of a JSON document.

        Raises:
            DamagedVersionError: It has more bytes.
            UnreadableEntryError: In a folder, there is something at this path, but no file that may be read.
        """
        with self._translated(f"read {path}"):
            folder = self.location.folder
            if folder is not None:
                self._require_folder()
                return read_file(folder / _plain(path), path, most)
            try:
                found = obstore.get(self._bucket(), path)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
            if found.meta["size"] > most:
                raise DamagedVersionError(f"{path}: {found.meta['size']:,} bytes, expected at most {most:,}")
            return bytes(found.bytes())

    def create(self, path: str, data: bytes) -> bool:
        """Create an object.

        Returns:
            False, and nothing is changed, if there is one at this path already.
        """
        with self._translated(f"write {path}"):
            folder = self.location.folder
            if folder is not None:
                self._require_folder()
                return create_file(folder / _plain(path), data)
            return create_object(self._bucket(), path, data)

    def delete(self, path: str) -> None:
        """Remove an object; a no-op if there is none."""
        with self._translated(f"delete {path}"):
            folder = self.location.folder
            if folder is not None:
                self._require_folder()
                remove_file(folder / _plain(path), folder)
                return
            with suppress(FileNotFoundError):
                obstore.delete(self._bucket(), path)

    def for_each(self, items: Sequence[S], act: Callable[[S], T]) -> Iterator[T]:
        """The results of a function that reads something for each item, in order; in a bucket, several at a time."""
        if self.location.folder is not None or len(items) < 2:
            yield from map(act, items)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for start in range(0, len(items), AT_ONCE):  # and not all at once: the caller may have seen enough
                yield from pool.map(act, items[start : start + AT_ONCE])

    def is_link(self, path: str) -> bool:
        """Whether the last part of a path is a symbolic link, so that what lies below it lies elsewhere."""
        folder = self.location.folder
        return folder is not None and (folder / _plain(path)).is_symlink()

    def _require_folder(self) -> None:
        """Check that the folder is there, or may be made.

        It may appear later; but one that has vanished is an error, and no empty repository: a writer must not publish
        below the mount point of a disk that is gone.
        """
        seen = self._seen  # before the look: another thread may make the folder, and see it, right after it
        if self.exists():
            self._seen = True
        elif seen:
            raise NotADirectoryError("its folder has vanished; is the disk still mounted?")
        elif not self._writable:
            raise NotADirectoryError("there is no such folder; python -m pipelines retrain makes it and publishes")

    def _bucket(self) -> ObjectStore:
        """The open bucket, whose connections are used again.

        Two threads at once would otherwise open two, which in memory hold different objects.
        """
        with self._opening:
            if self._kept is None:
                self._kept = open_bucket(self.url, writable=self._writable)
            return self._kept

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:  # ValueError: a path such as "a/../b"
            raise RepositoryError(f"repository {self.url}: cannot {action}: {cause(error)}") from error


def _plain(path: str) -> str:
    """The path, which must not lead elsewhere."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{path!r} is no path within the repository")
    return path
