"""How tests wait: for a condition, as long as a machine with much else to do may need. No test waits it out."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 300.0
"""Seconds."""


def eventually(condition: Callable[[], Any], what: str = "the condition holds", *, seconds: float = PATIENCE) -> Any:
    """Wait until a condition holds; gives what it returned then."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {seconds:g} seconds still not: {what}"
        time.sleep(pause)
        pause = min(pause * 1.2, 0.25)  # what is asked over and over takes time from what is waited for
    return found
