"""What a repository shows at one moment: its versions, its aliases, and what is wrong with either."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from core.artifact.folder import StoredObject, Survey
from core.artifact.manifest import MANIFEST
from core.artifact.move import Move, move_number, read_move
from core.artifact.objects import Objects
from core.artifact.trial import TRIAL
from core.errors import ManifestError, UnreadableEntryError

__all__ = ["CHAMPION", "HIGHEST", "Contents", "Snapshot", "Snapshots", "contents"]

CHAMPION = "champion"
"""The alias that the service follows."""

HIGHEST = 999_999_999
"""The highest number that a version can have."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass
class Contents:
    """What lies under one number.

    Attributes:
        files: The objects, by their name within the version.
        faults: What is wrong with other entries, likewise by name; "" for the version's folder itself.
    """

    files: dict[str, StoredObject] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the version exists."""
        return MANIFEST in self.files

    def stamp(self) -> str:
        """A digest that changes whenever anything here does."""
        files = [(name, found.size, found.e_tag) for name, found in self.files.items()]
        return _digest([*files, *self.faults.items()])


def contents(model: str, survey: Survey) -> dict[int, Contents]:
    """What lies under each number, ascending. A number is claimed even if nothing below it can be read.

    Args:
        model: The name under which versions are published.
        survey: What lies below it.
    """
    numbers: defaultdict[int, Contents] = defaultdict(Contents)
    for found in survey.objects:
        folder, number, name = (*found.path.split("/", 2), "", "")[:3]
        if folder == model and _NUMBER.fullmatch(number):
            if name:
                numbers[int(number)].files[name] = found
            else:
                numbers[int(number)].faults[""] = "a file, where a version has its folder; remove it"
    for path, fault in survey.faults.items():
        folder, number, name = (*path.split("/", 2), "", "")[:3]
        if folder == model and _NUMBER.fullmatch(number):
            numbers[int(number)].faults[name] = fault
    return dict(sorted(numbers.items()))


@dataclass(frozen=True)
class Snapshot:
    """The repository as one listing showed it.

    Attributes:
        versions: The versions that exist (with a manifest), ascending.
        aliases: The version that each alias points to: by its last sound move, if later ones are damaged.
        digest: Changes whenever any object of a version or an alias appears, changes or vanishes.
        stamps: For each number, a digest that changes whenever one of its own objects does.
        faults: For each path in a version or an alias that cannot be read, or is not what belongs there, what is wrong
            and what to do. Everything else is as it would be without it.
        tried: The numbers that hold a record of a trial. Of all others, a list need not read that there is none.
    """

    versions: tuple[int, ...]
    aliases: dict[str, int]
    digest: str
    stamps: dict[int, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    tried: frozenset[int] = frozenset()

    @property
    def champion(self) -> int | None:
        """The version that the champion alias points to; None if nothing has been promoted."""
        return self.aliases.get(CHAMPION)

    @cached_property
    def unreadable(self) -> Mapping[int, str]:
        """What is wrong with versions that do not exist because of it, by number."""
        found: dict[int, str] = {}
        for path, fault in self.faults.items():
            number = path.split("/")[1]
            if _NUMBER.fullmatch(number) and int(number) not in self.versions:
                found.setdefault(int(number), f"{path}: {fault}")
        return found


class Snapshots:
    """Takes snapshots of one model. If nothing is new, one costs a listing and no read."""

    def __init__(self, objects: Objects, model: str) -> None:
        """Nothing was seen yet.

        Args:
            objects: Where versions are published.
            model: The name under which they are published.
        """
        self._objects = objects
        self._model = model
        self._known: dict[StoredObject, Move | str] = {}  # the moves last read; what is wrong with damaged ones

    def take(self) -> Snapshot:
        """The repository now.

        Raises:
            RepositoryError: The storage has failed.
        """
        survey = self._objects.survey(self._model)
        numbers = contents(self._model, survey)
        faults = {
            f"{self._model}/{number}/{name}".rstrip("/"): fault
            for number, found in numbers.items()
            for name, fault in found.faults.items()
        }
        folder = f"{self._model}/aliases"
        moves: defaultdict[str, dict[int, StoredObject]] = defaultdict(dict)
        for found in survey.objects:
            if found.path.startswith(f"{folder}/"):
                alias, _, filename = found.path.removeprefix(f"{folder}/").partition("/")
                number = move_number(filename)
                if number is not None:
                    moves[alias][number] = found
                elif filename.removesuffix(".json").isdecimal():
                    faults[found.path] = "not the number of a move, which has six digits; remove it"
        faults |= {path: fault for path, fault in survey.faults.items() if f"{path}/".startswith(f"{folder}/")}
        aliases = self._targets(moves, faults)
        versions = tuple(number for number, found in numbers.items() if found.complete)
        stamps = {number: found.stamp() for number, found in numbers.items()}
        logs = [(found.path, found.size, found.e_tag) for log in moves.values() for found in log.values()]
        tried = frozenset(number for number, found in numbers.items() if TRIAL in found.files)
        return Snapshot(versions, aliases, _digest([*stamps.items(), *logs, *faults.items()]), stamps, faults, tried)

    def _targets(self, moves: Mapping[str, Mapping[int, StoredObject]], faults: dict[str, str]) -> dict[str, int]:
        """Where each alias points. Only moves that were not seen before are read."""
        known, self._known = self._known, {}
        targets: dict[str, int] = {}
        for alias in sorted(moves):
            for _, found in sorted(moves[alias].items(), reverse=True):
                move = self._known[found] = known.get(found) or self._read(found.path)
                if isinstance(move, Move):
                    targets[alias] = move.version
                    break
                faults[found.path] = move
        return targets

    def _read(self, path: str) -> Move | str:
        try:
            return read_move(self._objects, path)
        except (ManifestError, UnreadableEntryError) as error:
            finding = str(error).removeprefix(f"{path}: ")
            return f"{finding}; the last sound move stands in for it; promote again, or remove it"


def _digest(entries: Iterable[object]) -> str:
    return hashlib.sha256(repr([*entries]).encode()).hexdigest()
