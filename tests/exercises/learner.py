"""A learner for the tests: a folder with files, and the commands in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

from exercises.catalog import ROOT, find

__all__ = ["command", "environment", "solve", "write"]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "NO_COLOR": "1"}


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`python -m exercises …`, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "exercises", "--folder", str(folder), *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def write(folder: Path, name: str, text: str) -> Path:
    """The learner's file of an exercise."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{find(name).name}.py"
    file.write_text(text, "utf-8")
    return file


def solve(folder: Path, *names: str) -> None:
    """Write the solutions of some exercises."""
    for name in names:
        write(folder, name, find(name).solution.read_text("utf-8"))
