"""Objects by path, on disk, in a bucket or in memory: the few operations that the repository needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from os.path import abspath
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from core.artifact.folder import StoredObject, Survey, read_file, survey_folder
from core.errors import RepositoryError

if TYPE_CHECKING:
    from obstore.store import RetryConfig


READ_AGAIN: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=5)}
"""For readers: they poll anyway, and must not block for the minutes that the library would keep retrying."""


class Objects:
    """One object store. Objects are created only if absent, complete or not at all.

    Any number of threads may use it at once.
    """

    def __init__(self, url: str, *, writable: bool = False) -> None:
        """Name a store.

        Args:
            url: `file:///…`, `s3://…`, `memory://`, or a local path. Credentials are found as the store's own library
                looks for them.
            writable: Whether to create a missing local folder.
        """
        self.url = url if "://" in url or url.startswith("file:") else Path(abspath(url)).as_uri()  # noqa: PTH100 — follows no link
        # The path of the folder as it was given: where a link in it leads is found out at each access, so that a
        # deployment may switch the link.
        self._folder = Path(url2pathname(urlsplit(self.url).path)) if self.url.startswith("file:") else None
        self._writable = writable
        self._opening = Lock()
        self._kept: ObjectStore | None = None

    def exists(self) -> bool:
        """Whether the local folder exists; a bucket is assumed to."""
        if self._folder is None:
            return True
        with self._translated("look at it"):
            return self._folder.is_dir()

    def list(self, prefix: str) -> list[StoredObject]:
        """All objects below `prefix`, in the order of their paths."""
        if self._folder:
            return self.survey(prefix).objects
        with self._translated(f"list {prefix}"):
            found = obstore.list(self._store(), prefix).collect()
        return sorted(StoredObject(o["path"], o["size"], o["last_modified"], o["e_tag"]) for o in found)

    def survey(self, prefix: str) -> Survey:
        """The same, and what else lies there. One bad entry of a folder does not hide the others."""
        if self._folder is None:
            return Survey(self.list(prefix), {})
        with self._translated(f"list {prefix}"):
            self._store()
            return survey_folder(self._folder, _plain(prefix))

    def get(self, path: str) -> bytes | None:
        """The object's bytes; None if there is no such object.

        Raises:
            UnreadableEntryError: In a folder, there is something at this path, but no file that may be read.
        """
        with self._translated(f"read {path}"):
            if self._folder:
                self._store()
                return read_file(self._folder / _plain(path), path)
            try:
                return bytes(obstore.get(self._store(), path).bytes())
            except FileNotFoundError:
                return None

    def create(self, path: str, data: bytes) -> bool:
        """Create an object.

        Returns:
            False, and nothing is changed, if there is one at this path already.
        """
        with self._translated(f"write {path}"):
            try:
                obstore.put(self._store(), path, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

    def delete(self, path: str) -> None:
        """Remove an object; a no-op if there is none."""
        with self._translated(f"delete {path}"):
            try:
                obstore.delete(self._store(), path)
            except FileNotFoundError:
                return

    def _store(self) -> ObjectStore:
        """A folder is opened for each operation, which takes microseconds; a bucket once, to reuse its connections.

        So a folder may appear later, and one that has vanished is an error: an open store would list it as empty.
        """
        if self._folder:
            if not (self._writable or self.exists()):
                raise NotADirectoryError("there is no such folder; python -m pipelines retrain makes it and publishes")
            return LocalStore.from_url(self.url, mkdir=self._writable, automatic_cleanup=True)
        with (
            self._opening
        ):  # two threads at once would otherwise open two stores, which in memory hold different objects
            if self._kept is None:
                patient = self._writable or self.url.startswith("memory:")
                self._kept = from_url(self.url, retry_config=None if patient else READ_AGAIN)
            return self._kept

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:  # ValueError: a path such as "a/../b"
            reason = str(error).partition("\n")[0]  # the rest is the library's debugging output
            raise RepositoryError(f"repository {self.url}: cannot {action}: {reason}") from error


def _plain(path: str) -> str:
    """The path, which must not lead elsewhere."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{path!r} is no path within the repository")
    return path
