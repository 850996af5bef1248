"""`python -m pipelines health`, as a container's health check runs it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.commands import app
from pipelines.schedule.journal import Journal, Success

ROOT = Path(__file__).parents[3]


def succeed(folder: Path, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    Journal(folder).succeeded(Success(at=at, outcome="unchanged", version=7, promoted=True, recipe="mlp"))


def health(folder: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["health", "--data-dir", str(folder), *options])
    return done.exit_code, done.output


def test_it_is_healthy_while_runs_end_well(tmp_path: Path) -> None:
    succeed(tmp_path, timedelta(hours=1))
    status, said = health(tmp_path)
    assert status == 0
    assert said.startswith("healthy\n  last success    ")
    assert "unchanged, version 7" in said


def test_it_shows_why_the_version_of_the_last_run_may_not_become_the_champion(tmp_path: Path) -> None:
    why = "the trial of version 7 by a service failed: memory: 900 MB, expected at most 200 MB"
    rejected = {"outcome": "rejected", "version": 7, "promoted": False, "recipe": "mlp", "rejected": why}
    Journal(tmp_path).succeeded(Success.model_validate({"at": datetime.now(UTC), **rejected}))
    status, said = health(tmp_path)
    assert status == 0
    assert f"rejected, version 7\n  not promoted    {why}\n" in said
    assert json.loads(health(tmp_path, "--json")[1])["last_success"]["rejected"] == why


def test_it_is_unhealthy_when_no_run_has_ended_well_for_long(tmp_path: Path) -> None:
    succeed(tmp_path, timedelta(hours=49))
    status, said = health(tmp_path, "--json")
    found = json.loads(said)
    assert status == 1
    assert found["healthy"] is False
    assert found["troubles"] == ["no run has ended well for 2d1h, longer than 2d"]


def test_how_old_a_success_may_be_can_be_said(tmp_path: Path) -> None:
    succeed(tmp_path, timedelta(hours=3))
    assert health(tmp_path, "--max-age", "2h")[0] == 1
    assert health(tmp_path, "--max-age", "4h")[0] == 0


def test_a_limit_that_is_no_span_of_time_is_refused(tmp_path: Path) -> None:
    assert health(tmp_path, "--max-age", "long")[0] == 1


@pytest.mark.parametrize("content", ["{}", "garbage"])
def test_a_damaged_journal_is_no_success(tmp_path: Path, content: str) -> None:
    (tmp_path / "journal.json").write_text(content)
    assert health(tmp_path)[0] == 1


def test_it_needs_no_prefect(tmp_path: Path) -> None:
    succeed(tmp_path, timedelta(0))
    program = (
        "import sys\nsys.modules['prefect'] = None\n"
        "from pipelines.cli.commands import app\napp(sys.argv[1:], standalone_mode=False)"
    )
    command = [sys.executable, "-c", program, "health", "--data-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_where_a_scheduler_must_work_its_first_training_is_not_healthy_yet(tmp_path: Path) -> None:
    Journal(tmp_path).started("the first training")
    assert health(tmp_path)[0] == 0, "its run is all right"
    status, said = health(tmp_path, "--scheduler")
    assert status == 1
    assert said.startswith("unhealthy: no scheduler has left a sign of life yet; if one was started")


def test_a_folder_of_handwriting_that_is_missing_does_not_hide_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_HANDWRITING", str(tmp_path / "unmounted"))
    succeed(tmp_path, timedelta(hours=1))
    status, said = health(tmp_path, "--json")
    assert (status, json.loads(said)["healthy"]) == (0, True)


def test_a_blank_data_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["health", "--data-dir", ""])
    assert done.stderr == "error: --data-dir: found '', expected a value; leave the flag out for the default\n"


def test_the_environment_names_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    succeed(tmp_path, timedelta(hours=1))
    monkeypatch.setenv("NUMERAL_DATA_DIR", str(tmp_path))
    assert CliRunner().invoke(app, ["health"]).output.startswith("healthy\n")
