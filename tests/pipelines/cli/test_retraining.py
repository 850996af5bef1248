"""`retrain`: what is left of a run that could not begin."""

import base64
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.commands import app
from pipelines.schedule.journal import Journal
from tests.pipelines.notices.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("missing", ["--handwriting", "--recipe"])
def test_a_run_that_cannot_begin_is_recorded_and_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    places = ["--repository", str(tmp_path / "models"), "--data-dir", str(tmp_path / "data")]
    with Receiver(SECRET) as receiver:
        monkeypatch.setenv("NUMERAL_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("NUMERAL_WEBHOOK_SECRET", SECRET)
        done = CliRunner().invoke(app, ["retrain", "--engine", "plain", missing, str(tmp_path / "away.toml"), *places])
    assert done.exit_code == 1
    record = Journal(tmp_path / "data").read()
    assert record is not None
    assert record.last_failure is not None
    assert "away.toml" in record.last_failure.error
    assert record.active == {}
    assert [notice["type"] for notice in receiver.received] == ["numeral.model.failed"]
