"""Checking a file in a process of its own: nothing that a learner writes can stop or damage the one that asks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from exercises.afterwards import AFTERWARDS
from exercises.catalog import ROOT, Exercise
from exercises.verdict import WRONG, Verdict

__all__ = ["SECONDS", "check"]

SECONDS = 10.0
"""How long a file may run, unless another limit is given."""

GRACE = 15.0
"""More than that for starting Python, and for code that no signal interrupts."""

AFTERWARDS_SECONDS = 500.0


def check(exercise: Exercise, file: Path, seconds: float = SECONDS) -> Verdict:
    """The verdict about a file.

    Args:
        exercise: Which one it is.
        file: The learner's file.
        seconds: How long it may run.
    """
    patience = seconds + GRACE + (AFTERWARDS_SECONDS if exercise.name in AFTERWARDS else 0)
    # One thread: small products gain nothing by more, and several checks may run at once.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryDirectory(prefix="numeral-exercise-") as folder:
        answer = Path(folder) / "verdict.json"
        command = [
            sys.executable,
            "-m",
            "exercises.child",
            exercise.name,
            str(file.absolute()),
            str(answer),
            str(seconds),
        ]
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the process that waits, which then ends this one
        )
        try:
            _, errors = child.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return _unanswered(
                exercise, file, f"It has not come to an end within {seconds:g} seconds, and had to be killed."
            )
        finally:
            _end(child)
        if answer.exists():
            return Verdict.from_json(json.loads(answer.read_text("utf-8")))
    if child.returncode and b"Traceback" in errors:
        said = errors.decode("utf-8", "replace").strip().splitlines()[-1]
        return _unanswered(
            exercise, file, f"The check itself has failed, which need not be the fault of your file: {said}"
        )
    return _unanswered(exercise, file, f"The file has ended the process of the check (exit status {child.returncode}).")


def _unanswered(exercise: Exercise, file: Path, sentence: str) -> Verdict:
    return Verdict(exercise.name, str(file.absolute()), WRONG, [sentence])


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    elif child.poll() is None:
        child.kill()
    child.wait()
    if child.stderr:
        child.stderr.close()
