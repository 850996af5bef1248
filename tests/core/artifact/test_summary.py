"""The fields of a manifest that a list shows are read quickly, and as safely as the whole manifest."""

import json
from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.artifact.summary import Summary, summary_of
from core.errors import ManifestError, VersionNotFoundError

from .builders import publish


@pytest.fixture
def store(on_disk: Repository) -> Repository:
    """Two versions."""
    for seed in (1, 2):
        publish(on_disk, seed)
    return on_disk


def test_a_summary_says_what_the_manifest_says(store: Repository) -> None:
    assert store.summary(2) == Summary.model_validate(store.manifest(2), from_attributes=True)
    assert store.summary(2).architecture.parameter_count == store.manifest(2).architecture.parameter_count


def test_a_version_that_is_not_there_or_was_copied_has_no_summary(store: Repository, folder: Path) -> None:
    with pytest.raises(VersionNotFoundError, match="has no version 3"):
        store.summary(3)
    (folder / store.model / "2" / "manifest.json").write_bytes(store.raw_manifest(1) or b"")
    with pytest.raises(ManifestError, match=r"describes .* 1; was the folder copied"):
        store.summary(2)


@pytest.mark.parametrize("place", range(40, 1000, 97))
def test_a_flipped_bit_is_found_as_by_reading_the_whole_manifest(store: Repository, place: int) -> None:
    data = bytearray(store.raw_manifest(1) or b"")
    data[place] ^= 1
    with pytest.raises(ManifestError) as thorough:
        Manifest.decode(bytes(data), name="it")
    with pytest.raises(ManifestError) as quick:
        summary_of(bytes(data), name="it")
    assert str(quick.value) == str(thorough.value)


def test_a_manifest_from_before_there_were_digests_is_listed(store: Repository) -> None:
    document = json.loads(store.raw_manifest(1) or b"")
    del document["digest"]
    assert summary_of(json.dumps(document).encode(), name="it").version == 1
