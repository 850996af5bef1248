"""Processes that tests leave behind.

Every process that is started while the tests run inherits a mark in its environment, and Linux shows the environment
with which a process was started. So they are found wherever they are: orphaned, or in a session of their own.
"""

import os
import signal
import time
import uuid
from contextlib import suppress
from pathlib import Path

MARK = "TESTS_RUN"


def mark() -> None:
    """Mark all processes that this one will start; those of pytest-xdist keep the mark of theirs."""
    os.environ.setdefault(MARK, uuid.uuid4().hex)


_OF_THIS_PROCESS = b"multiprocessing.resource_tracker"
"""A helper that Python starts once and that ends with this process."""


def marked() -> dict[int, str]:
    """The processes that carry our mark and have not ended: their command lines by process id."""
    ours, found = f"{MARK}={os.environ[MARK]}".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if ours in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != os.getpid():
                command = (folder / "cmdline").read_bytes()
                if _OF_THIS_PROCESS not in command:
                    found[int(folder.name)] = command.decode(errors="replace").replace("\0", " ").strip()
    return found


def after(seconds: float) -> dict[int, str]:
    """The marked processes that are still there when they have had `seconds` to end."""
    deadline = time.monotonic() + seconds
    while (found := marked()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def end(processes: dict[int, str]) -> None:
    """Kill them."""
    for number in processes:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
