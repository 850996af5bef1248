"""The learner's folder: copies of the exercises to work in, and a note of which have passed.

The exercises themselves are not edited, so that a checkout stays clean and an update of Numeral never meets a learner's
work. The folder is ignored by git.
"""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageError
from exercises.catalog import EXERCISES, Exercise

__all__ = ["CHANGED", "DONE", "OPEN", "Folder"]

DONE, CHANGED, OPEN = "passed", "changed", "open"
"""What is known of an exercise: it passed as it is now; it has been changed since; it has not passed."""

PROGRESS = ".progress.json"


@dataclass(frozen=True)
class Folder:
    """A folder of exercise files.

    Attributes:
        path: Where.
    """

    path: Path

    def fill(self) -> int:
        """Copy every exercise that is not there, and leave those that are. Returns how many were copied.

        Raises:
            StorageError: The folder cannot be written.
        """
        missing = [exercise for exercise in EXERCISES if not self.file(exercise).exists()]
        if not missing:
            return 0
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for exercise in missing:
                shutil.copyfile(exercise.gap, self.file(exercise))
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror}; choose another folder with --folder") from error
        return len(missing)

    def file(self, exercise: Exercise) -> Path:
        """Where the learner's file of an exercise is."""
        return self.path / f"{exercise.name}.py"

    def reset(self, exercise: Exercise) -> Path | None:
        """Bring the original back. Returns where the learner's text is kept, if it was another one.

        Raises:
            StorageError: The folder cannot be written.
        """
        file, kept = self.file(exercise), None
        try:
            if file.exists() and file.read_bytes() != exercise.gap.read_bytes():
                kept = self._free_name(file)
                file.rename(kept)
            shutil.copyfile(exercise.gap, file)
        except OSError as error:
            raise StorageError(f"{file}: {error.strerror}") from error
        return kept

    def state(self, exercise: Exercise) -> str:
        """What is known of an exercise without checking it: `DONE`, `CHANGED` or `OPEN`."""
        passed = self._passed().get(exercise.name)
        if passed is None:
            return OPEN
        return DONE if passed == self.digest(exercise) else CHANGED

    def remember(self, exercise: Exercise, digest: str, *, passed: bool) -> None:
        """Note what a check has found about a file with this digest, for next time."""
        known = self._passed()
        if passed:
            known[exercise.name] = digest
        elif exercise.name in known:
            del known[exercise.name]
        else:
            return
        temporary = self.path / f"{PROGRESS}.{os.getpid()}"
        try:
            temporary.write_text(json.dumps(known, indent=1), "utf-8")
            temporary.replace(self.path / PROGRESS)
        except OSError as error:
            raise StorageError(f"{self.path / PROGRESS}: {error.strerror}; progress cannot be kept") from error

    def digest(self, exercise: Exercise) -> str:
        """sha256 of the learner's file, empty if there is none."""
        with suppress(OSError):
            return hashlib.sha256(self.file(exercise).read_bytes()).hexdigest()
        return ""

    def first_open(self) -> Exercise | None:
        """The first exercise that has not passed as it is now."""
        return next((exercise for exercise in EXERCISES if self.state(exercise) != DONE), None)

    def _passed(self) -> dict[str, str]:
        with suppress(OSError, ValueError):
            known = json.loads((self.path / PROGRESS).read_text("utf-8"))
            if isinstance(known, dict):
                return {str(name): str(digest) for name, digest in known.items()}
        return {}

    @staticmethod
    def _free_name(file: Path) -> Path:
        number = 1
        while (kept := file.with_name(f"{file.name}.{number}")).exists():
            number += 1
        return kept
