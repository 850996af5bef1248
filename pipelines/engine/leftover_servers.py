"""Servers of our own that runs left behind: those of a run that was killed where the kernel ends no children with it.

Each server is noted in a file, with what tells it from any later process with the same number: when it was started. A
process is never looked for by its name.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.process_start import PROC, process_start


@contextmanager
def noted(process: int) -> Iterator[None]:
    """Note a server while the block lasts. What cannot be noted cannot be swept, and does no other harm."""
    note = _folder() / f"{process}.json"
    ids = {"server": process, "owner": os.getpid()}
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({name: [number, _started(number)] for name, number in ids.items()}), "utf-8")
    try:
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)


def end_all() -> int:
    """Kill every noted server whose owner is gone.

    Returns:
        How many there were.
    """
    ended = 0
    for note in _folder().glob("*.json"):
        try:
            said = json.loads(note.read_text("utf-8"))
            (server, server_started), (owner, owner_started) = said["server"], said["owner"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another process is writing it, or it is none of ours
        if owner_started is not None and _started(owner) == owner_started:
            continue
        if server_started is not None and _started(server) == server_started:
            with suppress(OSError):
                os.kill(server, signal.SIGKILL)
                ended += 1
        with suppress(OSError):
            note.unlink(missing_ok=True)
    return ended


def _folder() -> Path:
    return Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect").expanduser() / "numeral-servers"


def _started(process: int) -> str | None:
    """When a process was started, in whatever unit the system counts; None if there is no such process any more."""
    if (PROC / "self").is_dir():
        return process_start(process) or None
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, check=False)  # noqa: S607
    return asked.stdout.strip() or None
