"""The process in which a learner's file is executed: `python -m exercises.child EXERCISE FILE ANSWER SECONDS`.

It writes the verdict to the file ANSWER. What it uses of memory is bounded, too, so that a list that grows without end
does not take the machine with it.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

from exercises.examine import examine

MEMORY = 4 << 30
"""Bytes of address space. Far more than any exercise needs."""


def main(exercise: str, file: str, answer: str, seconds: str) -> None:
    """Examine one file."""
    _bound_memory(exercise)
    verdict = examine(exercise, Path(file), float(seconds))
    Path(answer).write_text(json.dumps(verdict.as_json()), "utf-8")


def _bound_memory(exercise: str) -> None:
    if exercise == "17_own_layer":  # whose commands may need what they need
        return
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
