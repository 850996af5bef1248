"""The records of a version's trials, in their order. The last one decides; none is ever overwritten.

<repository>/<name>/7/trial.json      the first trial
<repository>/<name>/7/trial-2.json    the second: the version was not promoted then, and the champion is another one
"""

import re

from core.artifact.aside import set_aside
from core.artifact.objects import Objects
from core.artifact.sealed import as_written
from core.artifact.trial import TRIAL, Trial
from core.errors import DamagedVersionError, UnreadableEntryError

__all__ = ["TrialLog"]

_NAME = re.compile(r"trial(?:-([1-9][0-9]{0,5}))?\.json")


class TrialLog:
    """The trials of one version."""

    def __init__(self, objects: Objects, folder: str) -> None:
        """Name it; nothing is read yet.

        Args:
            objects: Where versions are published.
            folder: Of the version.
        """
        self._objects = objects
        self._folder = folder

    def paths(self) -> list[str]:
        """Where the records are, the first one first; also of those that cannot be read.

        Raises:
            RepositoryError: The storage has failed.
        """
        return [self._path(number) for number in self._numbers()]

    def last(self) -> Trial | None:
        """The last trial; None if there was none.

        Raises:
            ManifestError: Its record is damaged.
            UnreadableEntryError: It may not be read, or is no file.
        """
        numbers = self._numbers()
        return self.at(self._path(numbers[-1])) if numbers else None

    def at(self, path: str) -> Trial | None:
        """One of the trials; None if its record was removed meanwhile. Errors as for `last`."""
        data = self._objects.get(path)
        return None if data is None else Trial.decode(data, name=path)

    def add(self, trial: Trial) -> bool:
        """Store the record of a trial as the last one. If the last one is damaged, that is set aside and replaced.

        Returns:
            False, and nothing is changed, if the last one cannot be read, so that it may say more.
        """
        while True:
            number = (self._numbers() or [0])[-1] + 1
            if number > 1:
                before = self._path(number - 1)
                try:
                    there = self._objects.get(before)
                except (DamagedVersionError, UnreadableEntryError):
                    return False
                if there is not None and not as_written(there, Trial.model_fields):
                    if not set_aside(self._objects, before, there):
                        return False
                    number -= 1
            if self._objects.create(self._path(number), trial.encode()):
                return True  # otherwise another process was faster: this trial is the one after it

    def last_is_damaged(self) -> bool:
        """Whether the last record is not what was written, rather than what a newer Numeral wrote.

        Raises:
            UnreadableEntryError: It may not be read, or is no file.
        """
        numbers = self._numbers()
        try:
            there = self._objects.get(self._path(numbers[-1])) if numbers else None
        except DamagedVersionError:  # far too large to be one
            return True
        return there is not None and not as_written(there, Trial.model_fields)

    def _numbers(self) -> list[int]:
        found = self._objects.survey(self._folder)
        paths = (*(file.path for file in found.objects), *found.faults)
        names = (_NAME.fullmatch(path.removeprefix(f"{self._folder}/")) for path in paths)
        return sorted(int(name[1] or 1) for name in names if name)

    def _path(self, number: int) -> str:
        return f"{self._folder}/{TRIAL}" if number == 1 else f"{self._folder}/{TRIAL.replace('.', f'-{number}.')}"
