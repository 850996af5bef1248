"""tools/compose_test.sh and its checks: what it starts and says, and that its commands are those of the page."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.test_compose_profiles import PROFILES, services
from tests.e2e.test_observability import exported_by_pipelines, referenced

ROOT = Path(__file__).resolve().parents[2]


def run(*what: str, check: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COMPOSE_CHECK": check}
    return subprocess.run(["tools/compose_test.sh", *what], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A program in the place of an engine, which keeps the file that it was to start."""
    program = tmp_path / "recorder"
    program.write_text(f'#!/bin/sh\ncp "$1/docker-compose.yml" {tmp_path}/started.yml\necho "$4" >{tmp_path}/probed\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("default", []),
        ("postgres", ["compose.postgres.yml", "test/compose.postgres.yml"]),
        ("s3", ["compose.s3.yml", "compose.s3-server.yml", "test/compose.s3-server.yml"]),
        (
            "tls-scale",
            [
                "compose.tls.yml",
                "test/compose.tls.yml",
                "compose.scale.yml",
                "test/compose.scale.yml",
                "compose.tls-scale.yml",
            ],
        ),
    ],
)
def test_a_profile_is_started_with_its_files_and_their_stand_ins(what, files, recorder) -> None:
    if what.startswith("tls") and os.getuid() != 0:
        pytest.skip("only root may make the secrets")
    assert run(what, check=str(recorder)).returncode == 0
    [included] = yaml.safe_load(recorder.with_name("started.yml").read_text())["include"]
    assert included["path"] == [str(ROOT / "docker-compose.yml"), *(str(ROOT / "deploy" / file) for file in files)]
    assert included["env_file"] == "/dev/null"
    assert recorder.with_name("probed").read_text().strip() == what


def test_of_several_profiles_those_that_fail_are_named() -> None:
    ended = run("default", "observability", check=shutil.which("false") or "")
    assert ended.returncode == 1
    assert ended.stderr.endswith("compose-test: FAILED: default observability\n")


def test_a_profile_that_does_not_exist_is_an_error_that_lists_those_that_do() -> None:
    ended = run("production", check=shutil.which("true") or "")
    assert ended.returncode == 2
    assert ended.stderr.startswith("compose-test: found production, expected some of: default postgres s3 ")


def typed() -> set[str]:
    """The headings of docs/deployment.md whose commands are typed in by the checks."""
    calls = [
        node
        for file in (ROOT / "tools").glob("compose_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("commands", "follow")
    ]
    return {node.args[0].value for node in calls if isinstance(node.args[0], ast.Constant)}


def test_the_checks_type_in_all_commands_of_the_page_but_the_start() -> None:
    page = (ROOT / "docs/deployment.md").read_text("utf-8")
    sections = re.split(r"^#+ (.*)$", page, flags=re.MULTILINE)
    with_commands = {
        heading for heading, text in zip(sections[1::2], sections[2::2], strict=True) if "```console" in text
    }
    # What starts everything, and what makes the secrets, compose_test.sh does with names and ports of its own.
    assert with_commands - {"Deployment with Docker", "tls"} == typed()


def test_every_command_of_the_page_names_a_container_that_some_profile_has() -> None:
    known = {name for file in (ROOT / "docker-compose.yml", *PROFILES) for name in services(file)}
    page = (ROOT / "docs/deployment.md").read_text("utf-8")
    named = re.findall(r"docker compose (?:exec(?: -T)?|kill --signal HUP|run .*--entrypoint tar) ([a-z-]+)", page)
    assert named
    assert set(named) <= known


def test_the_probe_has_checks_for_everything_that_the_script_starts() -> None:
    script = (ROOT / "tools/compose_test.sh").read_text("utf-8")
    started = set(re.findall(r"\bup ([a-z0-9-]+) \"", script))
    program = "import sys; sys.path[:0] = ['tools', '.']; import compose_probe; print(*compose_probe.TRIED)"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) == started


def test_the_dashboard_of_retraining_shows_every_series_of_it() -> None:
    panels = json.loads((ROOT / "deploy/grafana/dashboards/retraining.json").read_text("utf-8"))["panels"]
    shown = referenced("\n".join(target["expr"] for panel in panels for target in panel["targets"]))
    assert shown - exported_by_pipelines() == {"numeral_model_loaded"}
    assert exported_by_pipelines() - shown == set()
