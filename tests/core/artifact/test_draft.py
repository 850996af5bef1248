"""A version on its way: what is left of it if its publication fails."""

from pathlib import Path

import pytest

from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import RepositoryError

from .builders import claim, publish


def failing(monkeypatch: pytest.MonkeyPatch, at: str, *, written: bool) -> None:
    """Let the creation of objects of this name fail, after or before they are written."""
    create = Objects.create

    def fail(self: Objects, path: str, data: bytes) -> bool:
        if not path.endswith(at):
            return create(self, path, data)
        if written:
            create(self, path, data)
        raise RepositoryError("the disk is full")

    monkeypatch.setattr(Objects, "create", fail)


def test_a_draft_whose_files_cannot_be_written_gives_its_number_back(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(repository)
    with monkeypatch.context() as patch:
        failing(patch, "report.html", written=False)
        for _ in range(3):
            draft, _ = claim(repository, 1)
            draft.add("card.md", b"# A card")
            with pytest.raises(RepositoryError, match="the disk is full"), draft:
                draft.add("report.html", b"<p>too long</p>")
    assert [file.path.split("/")[1] for file in repository._objects.list("mnist")] == ["1"] * 4
    assert publish(repository).version == 2


def test_a_draft_is_given_back_also_when_it_is_interrupted(repository: Repository) -> None:
    draft, _ = claim(repository)
    with pytest.raises(KeyboardInterrupt), draft:
        raise KeyboardInterrupt
    assert repository._objects.list("mnist") == []


def test_a_draft_that_was_published_stays(repository: Repository) -> None:
    draft, manifest = claim(repository)
    draft.publish(manifest)
    with pytest.raises(KeyboardInterrupt), draft:
        raise KeyboardInterrupt
    assert repository.verify(1) == manifest


@pytest.mark.parametrize("written", [False, True])
def test_a_draft_whose_manifest_may_have_been_written_is_given_back_only_if_it_was_not(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    draft, manifest = claim(on_disk)
    failing(monkeypatch, "manifest.json", written=written)
    with pytest.raises(RepositoryError, match="the disk is full"), draft:
        draft.publish(manifest)
    assert on_disk.versions() == ([1] if written else [])
    assert (folder / "mnist/1").exists() == written
    if written:
        on_disk.verify(1)


def test_in_a_bucket_nothing_is_deleted_once_the_manifest_may_be_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository("memory://", writable=True)
    draft, manifest = claim(repository)
    failing(monkeypatch, "manifest.json", written=False)
    with pytest.raises(RepositoryError, match="the disk is full"), draft:
        draft.publish(manifest)
    assert len(repository._objects.list("mnist/1")) == 1
