"""How many processors there are to work with."""

import os

__all__ = ["usable_processors"]


def usable_processors() -> int:
    """Those that this process may run on, where the system tells; else those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
