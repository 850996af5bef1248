"""Questions to workers that end on purpose."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from pipelines.score.answering import Asked
from pipelines.score.fragment import Fragment
from pipelines.score.part import Part


@dataclass(frozen=True)
class Deadly(Asked):
    """Kills the first worker that begins the third part.

    Attributes:
        mark: Made when it has.
    """

    mark: Path = Path()

    def answer(self, part: Part) -> Fragment:
        """Read a part, or die."""
        if part.first == 2 * 64 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(part)
