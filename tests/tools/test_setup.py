"""The set-up installs into its own environment, whatever people set for installs of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ELSEWHERE = {
    "PIP_USER": "1",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_ROOT": "/elsewhere",
    "PIP_DRY_RUN": "1",
    "PIP_NO_DEPS": "1",
    "PYTHONHOME": "/elsewhere",
    "PYTHONPATH": "/elsewhere",
}
"""Each of these made the set-up fail, or install nothing where it is needed."""

RECORDING = """#!/bin/sh
echo "$@" >> {folder}/calls
env >> {folder}/environment
{then}
"""


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment whose Python only notes how it is called."""
    python = tmp_path / "a folder of umläuts" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDING.format(folder=tmp_path, then=""))
    python.chmod(0o755)
    return python.parents[1]


def set_up(venv: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the script, where there is no uv."""
    return subprocess.run(
        ["/bin/sh", "tools/setup.sh", str(venv), "pipelines"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_settings_of_pip_and_python_for_other_installs_are_left_out(venv: Path, tmp_path: Path) -> None:
    done = set_up(venv, **{name: value for name, value in ELSEWHERE.items() if name != "PYTHONHOME"})
    assert done.returncode == 0, done.stderr
    assert "-m pip install" in (tmp_path / "calls").read_text()
    lines = (tmp_path / "environment").read_text("utf-8").splitlines()
    assert [line for line in lines if line.partition("=")[0] in ELSEWHERE] == ["PIP_USER=0"] * lines.count("PIP_USER=0")


def test_an_index_and_a_proxy_are_kept(venv: Path, tmp_path: Path) -> None:
    kept = {"PIP_INDEX_URL": "https://index.example/simple", "https_proxy": "http://proxy.example"}
    assert set_up(venv, **kept).returncode == 0
    lines = (tmp_path / "environment").read_text("utf-8").splitlines()
    assert {f"{name}={value}" for name, value in kept.items()} <= {*lines}


def test_packages_that_pip_has_put_elsewhere_are_missed_in_one_sentence(venv: Path, tmp_path: Path) -> None:
    then = 'case "$*" in *"import numpy"*) exit 1 ;; esac'
    (venv / "bin" / "python").write_text(RECORDING.format(folder=tmp_path, then=then))
    done = set_up(venv)
    assert done.returncode == 1
    assert f"setup: pip reports success, but the packages are not in {venv}" in done.stderr
