"""Parts of work for tests, done in other processes."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        number: What it is about.
        dying: How many of its workers are killed before they answer.
        folder: Where it leaves a file for each time that it is begun.
    """

    number: int
    folder: Path
    dying: int = 0

    def __str__(self) -> str:
        return f"part {self.number}"


def square(part: Part) -> int:
    """The square of the number, from a worker that may be killed first."""
    begun = len(list(part.folder.glob(f"{part.number}-*")))
    (part.folder / f"{part.number}-{begun}").write_text(str(os.getpid()))
    if begun < part.dying:
        os.kill(os.getpid(), signal.SIGKILL)
    return part.number**2


def fail(part: Part) -> int:
    """Raise an error that names the part."""
    raise LookupError(str(part))


@dataclass(frozen=True)
class Failing:
    """Raises an error for every part."""

    error: Exception

    def __call__(self, part: Part) -> int:
        raise self.error
