"""Real processes, and whether they live."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from core.shipped import ROOT

PATIENCE = 60.0


def python(code: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """A script in a session of its own, with pipes for what it prints."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lives(number: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    with suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def finish(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
