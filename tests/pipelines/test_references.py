"""Tasks hand each other paths with digests: what changed underneath is noticed."""

from pathlib import Path

import pytest

from core.errors import DigestError
from pipelines.references import FileRef


def test_what_was_stored_is_read_back(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "deep" / "result.json", b"{}")
    assert ref.read() == b"{}"
    assert ref.holds()


def test_a_file_that_changed_is_refused_with_both_digests(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    ref.path.write_bytes(b"[]")
    with pytest.raises(DigestError, match=f"sha256 [0-9a-f]{{64}}, expected {ref.sha256}"):
        ref.read()
    assert not ref.holds()


def test_a_file_that_vanished_does_not_hold(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    ref.path.unlink()
    assert not ref.holds()


def test_storing_replaces_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    FileRef.store(tmp_path / "result.json", b"old" * 1000)
    ref = FileRef.store(tmp_path / "result.json", b"new")
    assert ref.read() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_reference_survives_json(tmp_path: Path) -> None:
    ref = FileRef.store(tmp_path / "result.json", b"{}")
    assert FileRef.model_validate_json(ref.model_dump_json()) == ref
