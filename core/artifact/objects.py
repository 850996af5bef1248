"""Objects by path, on disk, in a bucket or in memory: the few operations that the repository stands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from core.errors import RepositoryError


class StoredObject(NamedTuple):
    """One entry of a listing."""

    path: str
    size: int
    modified: datetime
    e_tag: str | None


class Objects:
    """One object store. Objects are put only where there is none, whole or not at all.

    The store is opened at the first use and again after a failure, so that a folder may appear later.
    """

    def __init__(self, url: str, *, writable: bool = False) -> None:
        """Name a store.

        Args:
            url: `file:///…`, `s3://…`, `memory://`, or a local path. Credentials come as the store's own library
                looks for them.
            writable: Whether to make a local folder that is missing.
        """
        self.url = url if "://" in url else Path(url).resolve().as_uri()
        self._writable = writable
        self._opened: ObjectStore | None = None

    def list(self, prefix: str) -> list[StoredObject]:
        """All objects below `prefix`, in the order of their paths."""
        with self._translated(f"list {prefix}"):
            found = obstore.list(self._store(), prefix).collect()
        return sorted(StoredObject(o["path"], o["size"], o["last_modified"], o["e_tag"]) for o in found)

    def get(self, path: str) -> bytes | None:
        """The object's bytes; None where there is no such object."""
        with self._translated(f"read {path}"):
            try:
                return bytes(obstore.get(self._store(), path).bytes())
            except FileNotFoundError:
                return None

    def create(self, path: str, data: bytes) -> bool:
        """Put an object where there is none; False, and nothing changed, where there is one."""
        with self._translated(f"write {path}"):
            try:
                obstore.put(self._store(), path, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

    def delete(self, path: str) -> None:
        """Remove an object; one that is gone already is no error."""
        with self._translated(f"delete {path}"):
            try:
                obstore.delete(self._store(), path)
            except FileNotFoundError:
                return

    def _store(self) -> ObjectStore:
        if self._opened is None:
            if self.url.startswith("file:"):
                self._opened = LocalStore.from_url(self.url, mkdir=self._writable)
            else:
                self._opened = from_url(self.url)
        return self._opened

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            self._opened = self._opened if self.url.startswith("memory:") else None
            reason = str(error).partition("\n")[0]  # the rest is the library's own debugging
            raise RepositoryError(f"repository {self.url}: cannot {action}: {reason}") from error
