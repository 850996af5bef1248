import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from core.artifact import weights
from core.artifact.manifest import WEIGHTS, FileEntry, Manifest
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import (
    ArtifactError,
    DamagedVersionError,
    GoldenProbeError,
    ManifestError,
    RepositoryError,
    VersionNotFoundError,
)
from core.inference.predict import load, rebuild

from .builders import claim, manifest_of, publish, tiny_network
from .forbidden import forbid


def promote(repository: Repository, *versions: int, alias: str = "champion") -> None:
    for version in versions:
        repository.promote(version, by="a test", why="it says so", alias=alias)


# publishing and reading


def test_an_empty_repository_has_no_version(repository: Repository) -> None:
    repository.alias()  # opens nothing
    assert repository.versions() == []
    assert repository.snapshot().versions == ()
    with pytest.raises(VersionNotFoundError, match="mnist has no version 1; known: none"):
        repository.manifest(1)


def test_what_was_published_is_read_back(repository: Repository) -> None:
    published = publish(repository)
    assert published.version == 1
    assert repository.versions() == [1]
    assert repository.manifest(1) == published
    assert repository.read(published) == weights.encode(tiny_network().state())
    assert repository.read(published, "card.md") == b"# A card"


def test_versions_are_numbered_upwards_and_listed_by_number(repository: Repository) -> None:
    assert [publish(repository).version for _ in range(11)] == list(range(1, 12))
    assert repository.versions() == list(range(1, 12))  # 10 comes after 9, not after 1


def test_a_claimed_number_is_no_version_until_its_manifest_exists(repository: Repository) -> None:
    draft, manifest = claim(repository)
    draft.add("card.md", b"# A card")
    assert repository.versions() == []
    assert repository.snapshot().versions == ()
    with pytest.raises(VersionNotFoundError):
        repository.manifest(draft.version)
    with pytest.raises(VersionNotFoundError):
        promote(repository, draft.version)
    draft.publish(manifest.model_copy(update={"files": draft.files}))
    assert repository.versions() == [draft.version]


def test_a_claimed_number_is_never_given_again(repository: Repository) -> None:
    first, second = repository.claim(b"one"), repository.claim(b"two")
    assert (first.version, second.version) == (1, 2)
    assert publish(repository).version == 3


def test_a_manifest_that_describes_something_else_is_not_published(repository: Repository) -> None:
    draft, manifest = claim(repository)
    wrong = [
        manifest.model_copy(update={"version": 2}),
        manifest.model_copy(update={"name": "letters"}),
        manifest.model_copy(update={"files": {}}),
        manifest.model_copy(update={"files": {WEIGHTS: FileEntry.of(b"other weights")}}),
        manifest.model_copy(update={"files": {**manifest.files, "card.md": FileEntry.of(b"never added")}}),
    ]
    for other in wrong:
        with pytest.raises(ArtifactError, match="does not describe draft"):
            draft.publish(other)
    assert repository.versions() == []
    draft.publish(manifest)
    assert repository.versions() == [1]


def test_nothing_that_was_published_is_overwritten(repository: Repository) -> None:
    draft, manifest = claim(repository)
    draft.add("card.md", b"first")
    manifest = manifest.model_copy(update={"files": dict(draft.files)})
    with pytest.raises(RepositoryError, match=r"mnist/1/card\.md is there already; it is never overwritten"):
        draft.add("card.md", b"second")
    draft.publish(manifest)
    with pytest.raises(RepositoryError, match=r"mnist/1/manifest\.json is there already; it is never overwritten"):
        draft.publish(manifest)
    assert repository.read(manifest, "card.md") == b"first"


def test_models_with_names_that_begin_alike_do_not_mix(folder: Path) -> None:
    letters, mnist = (Repository(str(folder), writable=True, model=name) for name in ("mnist-letters", "mnist"))
    letters.claim(b"one")
    letters.claim(b"two")
    assert publish(mnist).version == 1
    assert letters.versions() == []


def test_other_files_in_the_folder_are_ignored(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    for path in [
        "README",
        "mnist/notes.txt",
        "mnist/old/manifest.json",
        "mnist/007/manifest.json",
        "mnist/9/x/y",
        "mnist/aliases/stray",
        "mnist/-2/manifest.json",
        "mnist/2/manifest.json#1",
        "mnist/0/manifest.json",
    ]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("?")
    assert on_disk.versions() == [1]
    assert on_disk.snapshot().versions == (1,)
    assert on_disk.snapshot().aliases == {}


# the snapshot


def test_a_snapshot_shows_versions_and_aliases(repository: Repository) -> None:
    for _ in range(3):
        publish(repository)
    promote(repository, 1, 2)
    promote(repository, 3, alias="canary")
    snapshot = repository.snapshot()
    assert snapshot.versions == (1, 2, 3)
    assert snapshot.aliases == {"champion": 2, "canary": 3}


def test_a_snapshots_digest_changes_exactly_when_something_has_changed(repository: Repository) -> None:
    changes: list[Callable[[], object]] = [
        lambda: publish(repository),
        lambda: repository.claim(b"claimed"),
        lambda: publish(repository),
        lambda: promote(repository, 1),
        lambda: promote(repository, 1),
        lambda: promote(repository, 3),
        lambda: repository.alias().rollback(by="a test", why="it was bad"),
    ]
    seen = {repository.snapshot().digest}
    for number, change in enumerate(changes, start=2):
        change()
        digest = repository.snapshot().digest
        assert repository.snapshot().digest == digest
        seen.add(digest)
        assert len(seen) == number


# damage


def test_one_changed_byte_anywhere_in_the_weights_is_found(on_disk: Repository, folder: Path) -> None:
    manifest = publish(on_disk)
    file = folder / "mnist/1" / WEIGHTS
    sound = file.read_bytes()
    for place in (0, 7, 8, 100, len(sound) // 2, len(sound) - 1):
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(DamagedVersionError) as caught:
            on_disk.read(manifest)
        message = str(caught.value)
        assert f"mnist/1/{WEIGHTS}" in message
        assert FileEntry.of(file.read_bytes()).sha256 in message
        assert FileEntry.of(sound).sha256 in message
        with pytest.raises(DamagedVersionError):
            load(on_disk, 1)
    file.write_bytes(sound)
    load(on_disk, 1)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
def test_a_file_of_another_length_is_found(on_disk: Repository, folder: Path, change: Callable[[bytes], bytes]) -> None:
    manifest = publish(on_disk)
    file = folder / "mnist/1" / WEIGHTS
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(
        DamagedVersionError,
        match=rf"{file.stat().st_size:,} bytes, expected at most|bytes with sha256 .*the manifest says",
    ):
        on_disk.read(manifest)


@pytest.mark.parametrize("filename", [WEIGHTS, "report.html"])
def test_a_missing_file_is_named(on_disk: Repository, folder: Path, filename: str) -> None:
    manifest = publish(on_disk)
    (folder / "mnist/1" / filename).unlink()
    with pytest.raises(DamagedVersionError, match=rf"mnist/1/{filename}: missing, though the manifest lists it"):
        on_disk.read(manifest, filename)


def test_a_file_that_the_manifest_does_not_list_is_not_read(on_disk: Repository, folder: Path) -> None:
    manifest = publish(on_disk)
    (folder / "mnist/1/extra.bin").write_bytes(b"?")
    with pytest.raises(DamagedVersionError, match=r"lists no such file; it lists weights\.safetensors, report\.html"):
        on_disk.read(manifest, "extra.bin")


def test_a_folder_that_was_copied_to_another_number_is_no_version(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    shutil.copytree(folder / "mnist/1", folder / "mnist/5")
    with pytest.raises(ManifestError, match=r"mnist/5/manifest\.json: describes mnist 1; was the folder copied\?"):
        on_disk.manifest(5)
    with pytest.raises(ManifestError):
        promote(on_disk, 5)


def test_a_damaged_manifest_is_named_and_its_version_not_promoted(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    file = folder / "mnist/1/manifest.json"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ManifestError, match=r"^mnist/1/manifest\.json: "):
        on_disk.manifest(1)
    with pytest.raises(ManifestError):
        promote(on_disk, 1)


def spoil(folder: Path, how: str) -> None:
    """Damage version 2."""
    weights = folder / "mnist/2" / WEIGHTS
    if how == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "missing":
        weights.unlink()
    else:
        file = folder / "mnist/2/manifest.json"
        manifest = Manifest.decode(file.read_bytes())
        rows = tuple(row[::-1] for row in manifest.golden.probabilities)
        golden = manifest.golden.model_copy(update={"probabilities": rows})
        file.write_bytes(manifest.model_copy(update={"golden": golden}).encode())


@pytest.mark.parametrize("how", ["truncated", "missing", "other answers"])
def test_a_damaged_version_becomes_champion_neither_by_promotion_nor_by_rollback(
    on_disk: Repository, folder: Path, how: str
) -> None:
    for seed in range(3):
        publish(on_disk, seed)
    promote(on_disk, 2, 1)
    spoil(folder, how)
    for move in (on_disk.rollback, lambda **given: on_disk.promote(2, **given)):
        with pytest.raises((DamagedVersionError, GoldenProbeError), match="mnist.2"):
            move(by="a test", why="it says so", probe=rebuild)
    assert on_disk.champion() == 1
    assert len(on_disk.alias().history()) == 2


# many writers


def test_threads_that_publish_at_once_get_different_numbers(repository: Repository) -> None:
    start = Barrier(8)

    def work(seed: int) -> dict[int, str]:
        start.wait()
        published = [publish(repository, 10 * seed + k) for k in range(3)]
        return {manifest.version: manifest.files[WEIGHTS].sha256 for manifest in published}

    with ThreadPoolExecutor(8) as pool:
        by_thread = list(pool.map(work, range(8)))
    assert repository.versions() == list(range(1, 25))
    for published in by_thread:
        for version, digest in published.items():
            assert repository.manifest(version).files[WEIGHTS].sha256 == digest
            repository.read(repository.manifest(version))


@pytest.mark.parametrize("filename", ["manifest.json", WEIGHTS, "report.html", "card.md"])
def test_a_wrong_bit_in_any_file_of_a_version_is_found_by_verifying_it(
    on_disk: Repository, folder: Path, filename: str
) -> None:
    manifest = publish(on_disk)
    assert on_disk.verify(1) == manifest
    file = folder / "mnist/1" / filename
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(DamagedVersionError, match=f"mnist/1/{filename}"):
        on_disk.verify(1)


def test_versions_that_mention_a_fingerprint_are_found_newest_first_without_reading_older_ones(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fingerprint in ("1", "2", "1", "2"):
        draft, manifest = claim(repository)
        draft.publish(manifest.model_copy(update={"fingerprint": fingerprint * 64}))
    assert list(repository.mentioning("1" * 64)) == [3, 1]
    assert list(repository.mentioning("3" * 64)) == []
    get, asked = Objects.get, []

    def recording(self: Objects, path: str, *most: int) -> bytes | None:
        asked.append(path)
        return get(self, path, *most)

    monkeypatch.setattr(Objects, "get", recording)
    assert next(repository.mentioning("2" * 64)) == 4
    if repository.location.folder:
        assert asked == ["mnist/4/manifest.json"]


def test_a_version_whose_manifest_cannot_be_read_may_mention_anything(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        publish(on_disk)
    forbid(folder / "mnist/2/manifest.json", monkeypatch)
    assert list(on_disk.mentioning("f" * 64)) == [2, 1]


# places that cannot be read or written


def test_a_missing_repository_is_distinguished_from_an_empty_one(folder: Path) -> None:
    reader = Repository(str(folder))
    for act in (reader.versions, reader.snapshot, reader.champion, lambda: reader.claim(b""), lambda: reader.prune(1)):
        with pytest.raises(RepositoryError, match=folder.as_uri()):
            act()
    assert not folder.exists()


def test_a_repository_may_be_named_by_path_and_by_url_with_spaces(tmp_path: Path) -> None:
    published = publish(Repository(str(tmp_path / "my models"), writable=True))
    for url in (str(tmp_path / "my models"), f"file://{tmp_path}/my%20models", f"file://{tmp_path}/my models"):
        repository = Repository(url)
        assert repository.manifest(1) == published
        load(repository, 1)


def test_a_manifest_of_other_weights_is_found_by_digest(repository: Repository) -> None:
    first, second = publish(repository, 0), publish(repository, 1)
    forged = manifest_of(tiny_network(0), version=second.version, files=first.files)
    with pytest.raises(DamagedVersionError, match="bytes with sha256"):
        repository.read(forged)
