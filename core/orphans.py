"""Children that must not outlive their parent: the system ends them when it is killed, and so cannot end them itself.

Linux alone can do that. On other systems a child whose parent is killed runs on; a parent that ends in any other way
stops its children itself.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

__all__ = ["die_with_parent", "parent_death_hook"]

_SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG, see prctl(2)."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
"""Found here, because between `fork` and `exec` nothing may be imported or looked up."""


def die_with_parent() -> None:
    """Have the system kill this process when its parent has died; a no-op on systems that cannot do this.

    The system counts the thread that started this process as its parent: it has to live as long as this one should.
    """
    if _prctl is not None:
        _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def parent_death_hook() -> Callable[[], None] | None:
    """What to give to `subprocess.Popen` as `preexec_fn`, so that the child is killed when this process has died.

    Returns:
        A function to be called in the child; None on systems that cannot do this.
    """
    if _prctl is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        die_with_parent()
        if os.getppid() != parent:  # it died before the system was asked
            os._exit(1)

    return ask
