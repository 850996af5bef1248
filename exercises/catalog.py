"""The exercises, in order: what they are called, and where their files and hints are."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import NumeralError

__all__ = ["EXERCISES", "ROOT", "Exercise", "UnknownExerciseError", "find"]

HERE = Path(__file__).parent
ROOT = HERE.parent


class UnknownExerciseError(NumeralError):
    """No exercise, or more than one, has this name."""


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        name: Its file without ".py", e.g. "02_dense_backward".
    """

    name: str

    @property
    def number(self) -> str:
        """E.g. "02"."""
        return self.name.partition("_")[0]

    @property
    def topic(self) -> str:
        """E.g. "The dense layer, backward"."""
        return self.title.partition(":")[0]

    @property
    def title(self) -> str:
        """The first line of its file."""
        return self.gap.read_text("utf-8").partition("\n")[0].removeprefix('"""')

    @property
    def gap(self) -> Path:
        """The file with gaps."""
        return HERE / "gaps" / f"{self.name}.py"

    @property
    def solution(self) -> Path:
        """The file without gaps."""
        return HERE / "solutions" / f"{self.name}.py"

    @property
    def hints(self) -> list[str]:
        """From a nudge to nearly the solution."""
        return [hint.strip() for hint in _hints()[self.name]]


EXERCISES = tuple(Exercise(file.stem) for file in sorted((HERE / "gaps").glob("*.py")))


def find(name: str) -> Exercise:
    """An exercise by number, name, part of its name, or file.

    Raises:
        UnknownExerciseError: None fits, or several do.
    """
    wanted = Path(name).stem.lower().replace(" ", "_")
    if wanted.isdigit():
        wanted = f"{int(wanted):02}_"
    exact = [exercise for exercise in EXERCISES if exercise.name == wanted or exercise.name[3:] == wanted]
    fitting = exact or [exercise for exercise in EXERCISES if wanted and wanted in exercise.name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UnknownExerciseError(f"{name!r} fits {', '.join(e.name for e in fitting)}: name one of them")
    raise UnknownExerciseError(f"no exercise {name!r}; there are {', '.join(e.name for e in EXERCISES)}")


@cache
def _hints() -> dict[str, list[str]]:
    return {name: entry["hints"] for name, entry in tomllib.loads((HERE / "hints.toml").read_text("utf-8")).items()}
