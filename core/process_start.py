"""When a process started, which tells it from a later one with the same number, as Linux says."""

from pathlib import Path

__all__ = ["ENDED", "PROC", "process_start"]

PROC = Path("/proc")
"""What Linux says of its processes; other systems have no such folder."""

ENDED = ""
"""In place of its start, for a process that has ended and only waits to be collected."""


def process_start(pid: int) -> str | None:
    """The start of a process, in ticks since the machine's; `ENDED` if it has ended; None if the system does not tell.

    From proc(5), "/proc/pid/stat": fields 3, the state, and 22, the start.
    """
    try:
        # The second field is the program's name in parentheses, and may itself contain blanks and parentheses.
        state, *fields = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return ENDED if state in "ZX" else fields[18]
