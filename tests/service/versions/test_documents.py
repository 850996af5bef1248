"""The documents of versions: which version a name stands for, and what cannot be read."""

import asyncio
import threading

import pytest

from core.artifact.manifest import MANIFEST, Manifest
from core.artifact.repository import Repository
from service.errors import (
    DocumentRefusedError,
    DocumentUnreadableError,
    NoModelError,
    OverloadedError,
    UnknownDocumentError,
    UnknownVersionError,
)
from service.versions import documents
from service.versions.documents import CARD, DOCUMENTS, Document, Documents
from service.versions.storage import Storage
from service.versions.store import Store
from service.versions.watcher import Watcher
from tests.service.tiny_model import publish


@pytest.fixture
def ask(folder, tmp_path):
    """Read a document, as a server does that follows the repository: `ask("card.md", "2")`."""
    shipped = tmp_path / "shipped"

    def read(name: str, wanted: str = "", *, storage: Storage | None = None, pretrained: bool = False) -> Document:
        repository = Repository(str(folder))
        store = Store(repository.url)
        Watcher(repository, store, pretrained=str(shipped) if pretrained else None).look()
        second = Storage(Repository(str(shipped))) if pretrained else None
        return asyncio.run(Documents(store, storage or Storage(repository), second).read(name, wanted))

    return read


def test_each_document_of_a_version_is_read_as_it_was_published(repository, folder, ask):
    publish(repository, seed=1, documents={name: name.encode() for name in DOCUMENTS if name != MANIFEST})
    for name, media_type in DOCUMENTS.items():
        found = ask(name)
        assert (found.version, found.media_type) == ("1", media_type)
        assert found.content == (folder / "mnist" / "1" / name).read_bytes()
    Manifest.decode(ask(MANIFEST).content)


def test_a_version_is_named_by_its_number_or_an_alias_whether_it_is_loaded_or_not(repository, ask):
    publish(repository, seed=1, promote=False, documents={CARD: b"first"})
    publish(repository, seed=2, documents={CARD: b"second"})
    repository.promote(1, by="tests", why="it has a name", alias="earlier")
    found = {wanted: ask(CARD, wanted) for wanted in ("", "champion", "2", "1", "earlier")}
    assert {wanted: (one.version, one.content) for wanted, one in found.items()} == {
        **dict.fromkeys(("", "champion", "2"), ("2", b"second")),
        **dict.fromkeys(("1", "earlier"), ("1", b"first")),
    }


@pytest.mark.parametrize("empty", [True, False])
def test_the_pretrained_version_has_its_own_documents_whether_it_serves_or_not(repository, tmp_path, ask, empty):
    publish(Repository(str(tmp_path / "shipped"), writable=True), seed=1, documents={CARD: b"shipped"})
    if not empty:
        publish(repository, seed=2, documents={CARD: b"published"})
    assert ask(CARD, "pretrained", pretrained=True) == Document("pretrained", b"shipped", DOCUMENTS[CARD])
    assert ask(CARD, pretrained=True).content == (b"shipped" if empty else b"published")


def test_what_does_not_exist_is_named_in_the_error(repository, ask):
    with pytest.raises(NoModelError):
        ask(CARD)
    publish(repository, seed=1)
    with pytest.raises(UnknownDocumentError, match="version 1 was published without card.md"):
        ask(CARD)
    with pytest.raises(UnknownDocumentError, match="no document 'weights.safetensors'; known: manifest.json"):
        ask("weights.safetensors")
    for wanted in ("2", "nobody", "pretrained"):
        with pytest.raises(UnknownVersionError, match=f"no version or alias '{wanted}' here"):
            ask(CARD, wanted)


def test_a_document_that_is_damaged_or_missing_or_too_large_is_not_sent(repository, folder, ask, monkeypatch):
    publish(repository, seed=1, documents={CARD: b"right"})
    card = folder / "mnist" / "1" / CARD
    for content, finding in (
        (b"wrong", "5 bytes with sha256"),
        (b"longer", "6 bytes, expected at most 5"),
        (None, "missing"),
    ):
        card.write_bytes(content) if content else card.unlink()
        with pytest.raises(DocumentRefusedError, match=f"mnist/1/card.md: .*{finding}"):
            ask(CARD)
    monkeypatch.setattr(documents, "LARGEST_DOCUMENT", 4)
    with pytest.raises(DocumentRefusedError, match="card.md of version 1 has 5 bytes, and at most 4 can be sent"):
        ask(CARD)


class Hanging(Repository):
    """A disk on which documents cannot be read until it is mended."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.mended, self.hangs = threading.Event(), threading.Event()

    def read(self, manifest: Manifest, *arguments: str) -> bytes:
        self.hangs.set()
        self.mended.wait()
        return super().read(manifest, *arguments)


@pytest.fixture
def hanging(folder):
    found = Hanging(str(folder))
    yield found
    found.mended.set()


def test_a_read_that_hangs_is_left_behind(repository, ask, hanging):
    publish(repository, seed=1, documents={CARD: b"out of reach"})
    with pytest.raises(DocumentUnreadableError, match="mnist/1/card.md: no answer within 0.01 s; .*; try again"):
        ask(CARD, storage=Storage(hanging, seconds=0.01))


def test_while_too_many_documents_are_being_read_no_more_are(repository, folder, hanging, monkeypatch):
    publish(repository, seed=1, documents={CARD: b"slow"})
    monkeypatch.setattr(documents, "MOST_WAITING", 1)
    store = Store(repository.url)
    Watcher(Repository(str(folder)), store).look()

    async def two() -> bytes:
        found = Documents(store, Storage(hanging))
        first = asyncio.create_task(found.read(CARD))
        await asyncio.to_thread(hanging.hangs.wait)
        with pytest.raises(OverloadedError, match="1 documents are being read already; try again in a second"):
            await found.read(CARD)
        hanging.mended.set()
        await first
        return (await found.read(CARD)).content

    assert asyncio.run(two()) == b"slow"
