"""`clean`: what killed and failed runs left in the data folder is removed."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.commands import app


@pytest.fixture
def leftover(tmp_path: Path) -> Path:
    """A damaged file that was moved aside ten days ago."""
    path = tmp_path / "mnist" / "quarantine" / "images.gz.00"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    then = path.stat().st_mtime - 10 * 86_400
    os.utime(path, (then, then))
    return path


def test_what_is_young_is_kept_and_a_sentence_says_so(leftover: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["clean", "--data-dir", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (0, "nothing is older than 14 days\n")
    assert leftover.exists()


def test_the_environment_and_before_it_a_flag_say_what_is_old(
    leftover: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_KEEP_DAYS", "9")
    CliRunner().invoke(app, ["clean", "--data-dir", str(tmp_path), "--older-than", "11"])
    assert leftover.exists()
    done = CliRunner().invoke(app, ["clean", "--data-dir", str(tmp_path)])
    assert "1 left by runs that never ended (damaged file)" in done.stderr
    assert not leftover.exists()


def test_json_lists_what_was_removed(leftover: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["clean", "--data-dir", str(tmp_path), "--older-than", "0", "--json"])
    assert json.loads(done.stdout) == [{"path": str(leftover), "kind": "damaged file", "bytes": 7}]


def test_a_folder_of_handwriting_that_is_missing_keeps_nothing_from_being_removed(
    leftover: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_HANDWRITING", str(tmp_path / "unmounted"))
    CliRunner().invoke(app, ["clean", "--data-dir", str(tmp_path), "--older-than", "9"])
    assert not leftover.exists()
