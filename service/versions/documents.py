"""The documents that were published with a version: they are read when somebody asks for one, and never kept."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

from core.artifact.manifest import MANIFEST, Manifest
from core.artifact.repository import Repository
from core.errors import DamagedVersionError, RepositoryError, UnreadableEntryError, VersionNotFoundError
from service.errors import (
    DocumentRefusedError,
    DocumentUnreadableError,
    OverloadedError,
    UnknownDocumentError,
    UnknownVersionError,
)
from service.loaded import Loaded, label
from service.texts import quoted
from service.versions.storage import Storage
from service.versions.store import Store
from service.wire import PRETRAINED, in_words
from service.wishes import PRETRAINED_NUMBER

__all__ = ["CARD", "DOCUMENTS", "LARGEST_DOCUMENT", "Document", "Documents"]

CARD = "card.md"

DOCUMENTS = {
    MANIFEST: "application/json",
    "history.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    CARD: "text/markdown; charset=utf-8",
}
"""The documents of a version that may be asked for, and their media types."""

LARGEST_DOCUMENT = 4_000_000
"""Bytes. A gRPC client accepts messages of 4 MiB unless it is told otherwise; a report has some 200 kB."""

AT_ONCE = 4
"""Reads at a time: each waits in a thread."""

MOST_WAITING = 64
"""Reads that may be waiting or under way: a storage that is slow, or paid for by the read, is not to be flooded."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """A document of a version.

    Attributes:
        version: The version, as replies name it.
        content: Its bytes, whose digest is that of the manifest.
        media_type: Its media type.
    """

    version: str
    content: bytes
    media_type: str


class Documents:
    """Reads the documents of versions, loaded or not, off the event loop and each within the time for reads."""

    def __init__(self, store: Store, repository: Storage, pretrained: Storage | None = None) -> None:
        """Read nothing yet.

        Args:
            store: Tells which version a name stands for.
            repository: Where versions are published. Reads that hang here must not count among those of the watcher,
                which refuses to read when too many do; so this storage has a patience of its own.
            pretrained: The repository whose champion is the pretrained version; None if the server has none.
        """
        self._store = store
        self._repository = repository
        self._pretrained = pretrained
        self._count = 0  # of reads that are waiting or under way
        # Not the threads of the event loop, in which other things are done: these may all hang for a while.
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="documents")

    def close(self) -> None:
        """Cancel the reads that have not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @classmethod
    def of(cls, store: Store, repository: Repository, pretrained: str | None, seconds: float) -> Self:
        """The documents of a repository, and of the pretrained version.

        Args:
            store: As above.
            repository: Where versions are published.
            pretrained: URL of the repository whose champion is the pretrained version; None if there is none.
            seconds: How long a read may take.
        """
        shipped = Storage(Repository(pretrained), seconds=seconds) if pretrained else None
        return cls(store, Storage(repository, seconds=seconds), shipped)

    async def card(self, wanted: str = "") -> Document:
        """The card of a version: empty if it was published without one; otherwise as `read`."""
        number, loaded = self._which(wanted)
        try:
            return await self._read(CARD, number, loaded)
        except UnknownDocumentError:
            return Document(label(number), b"", DOCUMENTS[CARD])

    async def read(self, name: str, wanted: str = "") -> Document:
        """A document of a version.

        Args:
            name: One of `DOCUMENTS`.
            wanted: A version or an alias, whether it is loaded or not; "" for the version that answers calls that name
                none.

        Raises:
            NoModelError: "" was asked for, and no version is loaded yet. Likewise `NotReadyError` if none is to serve.
            UnknownVersionError: There is no such version, or it was deleted meanwhile.
            UnknownDocumentError: The version was published without this document, or it is none that may be read.
            DocumentRefusedError: It is not what was published, or too large to be sent.
            DocumentUnreadableError: The storage has failed, or has not answered in time.
            OverloadedError: Too many documents are being read already.
        """
        if name not in DOCUMENTS:
            raise UnknownDocumentError(f"no document {quoted(name)}; known: {', '.join(DOCUMENTS)}")
        return await self._read(name, *self._which(wanted))

    async def _read(self, name: str, number: int, loaded: Loaded | None) -> Document:
        if self._count >= MOST_WAITING:
            sentence = f"too busy: {self._count} documents are being read already; try again in a second"
            raise OverloadedError(sentence, retry_after=1.0)
        self._count += 1
        try:
            read = partial(_translated, lambda: self._content(name, number, loaded))
            content = await asyncio.get_running_loop().run_in_executor(self._pool, read)
        finally:
            self._count -= 1
        return Document(label(number), content, DOCUMENTS[name])

    def _which(self, wanted: str) -> tuple[int, Loaded | None]:
        """The number of a version, and the version itself if it is loaded."""
        if loaded := self._store.active() if not wanted else self._store.named(wanted):
            return loaded.number, loaded
        if not wanted:
            chosen = self._store.choose()
            return chosen.number, chosen
        known = wanted == PRETRAINED and self._pretrained is not None
        number = PRETRAINED_NUMBER if known else self._store.number(wanted)
        return number, next((each for each in self._store.loaded() if each.number == number), None)

    def _content(self, name: str, number: int, loaded: Loaded | None) -> bytes:
        if number == PRETRAINED_NUMBER and self._pretrained is not None:
            source = self._pretrained
            published = loaded.manifest.version if loaded else source.champion()
        else:
            source, published = self._repository, number
        if name == MANIFEST:
            return source.sealed_manifest(published)
        manifest = loaded.manifest if loaded else source.manifest(published)
        _check_entry(manifest, name, in_words(label(number)))
        return source.document(manifest, name)


def _check_entry(manifest: Manifest, name: str, version: str) -> None:
    entry = manifest.files.get(name)
    if entry is None:
        raise UnknownDocumentError(f"{version} was published without {name}")
    if entry.size > LARGEST_DOCUMENT:
        raise DocumentRefusedError(
            f"{name} of {version} has {entry.size:,} bytes, and at most {LARGEST_DOCUMENT:,} can be sent; "
            "read it in the repository itself"
        )


def _translated(read: Callable[[], T]) -> T:
    """What a read gives, with the errors of the repository as errors of a call."""
    try:
        return read()
    except VersionNotFoundError as error:
        raise UnknownVersionError(str(error)) from error
    except (RepositoryError, UnreadableEntryError) as error:
        _log.warning("a document cannot be read: %s", error)
        raise DocumentUnreadableError(f"{error}; try again later") from error
    except DamagedVersionError as error:
        _log.warning("a document is not sent: %s", error)
        raise DocumentRefusedError(str(error)) from error
