"""The memory that this process occupies."""

import os
from pathlib import Path

__all__ = ["occupied"]


def occupied(statm: Path = Path("/proc/self/statm")) -> int:
    """Bytes of memory that this process occupies; 0 if that is unknown, on systems other than Linux."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
