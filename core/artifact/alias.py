"""Aliases: names such as `champion` that point at a version, each an append-only log of numbered moves.

The move with the highest number says where the alias points now; the log is its history. Each move is created only if
absent, so two writers cannot both make the same move, and no move can be lost. (Local disks have no conditional update;
creation if absent exists on all stores.)

A move may be conditional on where the alias points. The condition is checked against the moves that were read, and the
move that is created then has the next number after them. So another move in between makes the creation fail, and the
condition is checked again: check and move are one step.

A move that cannot be read, because a disk was full or a hand slipped, is passed over: the last sound one stands in for
it, and the next move gets a higher number. `Snapshot.faults` names what was passed over.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Literal, TypeAlias

from pydantic import ValidationError

from core.artifact.fields import Moment, Part, Text, VersionNumber
from core.artifact.manifest import MANIFEST
from core.artifact.objects import Objects
from core.artifact.sealed import opened, sealed
from core.errors import (
    AliasMovedError,
    ConfigError,
    DamagedVersionError,
    ManifestError,
    RepositoryError,
    UnreadableEntryError,
    VersionNotFoundError,
)

Action = Literal["promote", "rollback"]


class _Anywhere(Enum):
    ANY = "any"


ANY: Final = _Anywhere.ANY
"""The expectation of a move that is made wherever the alias points."""

Expected: TypeAlias = int | Literal[_Anywhere.ANY] | None
"""Where an alias must point for a move to be made: to a version, to none yet (None), or anywhere (`ANY`)."""

_NAME = re.compile(r"(?!(latest|pretrained)$)[A-Za-z][\w.-]*")
"""Excludes names that the service takes for a version (a number, `pretrained`) or for its policy `latest`."""

_MOVE = re.compile(r"0[0-9]{5}|[1-9][0-9]{5,11}")
"""The one spelling of a move's number: six digits, more only from a million on, and at most twelve."""

_ATTEMPTS = 200  # each failed attempt is a move by another writer; so many in a row cannot be a mere race


class Move(Part):
    """One move of an alias."""

    version: VersionNumber
    previous: VersionNumber | None
    action: Action = "promote"
    at: Moment
    by: Text
    why: Text


class AliasLog:
    """The moves of one alias."""

    def __init__(self, objects: Objects, model: str, alias: str) -> None:
        self._objects = objects
        self._model = model
        self._folder = f"{model}/aliases/{alias}"
        self.alias = alias

    def target(self) -> int | None:
        """The version that the alias points to, by its last sound move; None before the first.

        Raises:
            ManifestError: There are moves, and none is sound.
            UnreadableEntryError: Likewise.
        """
        numbers = self._moves()
        for number in reversed(numbers):
            if move := self._sound(number):
                return move.version
        return self._read(numbers[-1]).version if numbers else None

    def last_sound(self) -> int:
        """The number of the last move that is sound; 0 if none is."""
        return next((number for number in reversed(self._moves()) if self._sound(number)), 0)

    def history(self) -> list[Move]:
        """All sound moves, the oldest first."""
        return [move for move in map(self._sound, self._moves()) if move]

    def promote(self, version: int, *, by: str, why: str, expecting: Expected = ANY) -> Move:
        """Point the alias to `version`, which is not looked at: see `core.artifact.repository.Repository.promote`.

        Args:
            version: Where it shall point.
            by: Who moves it.
            why: The reason.
            expecting: Where it must point for that.

        Raises:
            AliasMovedError: It points elsewhere than expected; nothing was moved.
            ConfigError: The name of the alias is not allowed, or the reason is too long.
        """
        if not _NAME.fullmatch(self.alias):
            expected = "a letter, then letters, digits and any of _ . -, neither latest nor pretrained; e.g. challenger"
            raise ConfigError(f"alias {self.alias!r}: expected {expected}")

        def forward(moves: list[Move]) -> tuple[int, Action]:
            self._expect(expecting, moves)
            return version, "promote"

        return self._append(forward, by=by, why=why)

    def rollback(self, *, by: str, why: str, check: Callable[[int], object] | None = None) -> Move:
        """Point the alias to the version that it pointed to before its present version was promoted.

        Args:
            by: Who moves it.
            why: The reason.
            check: Called with that version before anything is moved; what it raises ends the rollback.

        Raises:
            VersionNotFoundError: There is no earlier version, or it was pruned.
        """

        def back(moves: list[Move]) -> tuple[int, Action]:
            standing = standing_promotions(moves)
            if len(standing) < 2:
                raise VersionNotFoundError(f"{self.alias}: no earlier version to roll back to")
            if self._objects.get(f"{self._model}/{standing[-2]}/{MANIFEST}") is None:
                raise VersionNotFoundError(f"{self.alias}: version {standing[-2]} was pruned; promote another instead")
            if check is not None:
                check(standing[-2])
            return standing[-2], "rollback"

        return self._append(back, by=by, why=why)

    def move_back(self, version: int, *, by: str, why: str, expecting: int) -> Move:
        """Point the alias to a version that it has pointed to before, as a rollback does; it is not looked at.

        Raises:
            AliasMovedError: It points elsewhere than expected; nothing was moved.
        """

        def back(moves: list[Move]) -> tuple[int, Action]:
            self._expect(expecting, moves)
            return version, "rollback"

        return self._append(back, by=by, why=why)

    def _expect(self, expecting: Expected, moves: list[Move]) -> None:
        found = moves[-1].version if moves else None
        if expecting is not ANY and found != expecting:
            raise AliasMovedError(
                f"{self.alias}: points to {_named(found)}, expected {_named(expecting)}; another writer has moved it",
                found,
            )

    def _append(self, decide: Callable[[list[Move]], tuple[int, Action]], *, by: str, why: str) -> Move:
        known: dict[int, Move | None] = {}  # a move never changes, so after a lost race only new ones are read
        tried = 0
        for _ in range(_ATTEMPTS):
            survey = self._objects.survey(self._folder)
            numbers = _numbers(found.path for found in survey.objects)
            known |= {number: self._sound(number) for number in numbers if number not in known}
            moves = [sound for number in numbers if (sound := known[number])]
            version, action = decide(moves)
            previous = moves[-1].version if moves else None
            try:
                move = Move(version=version, previous=previous, action=action, at=datetime.now(UTC), by=by, why=why)
            except ValidationError as error:
                found = error.errors(include_url=False)[0]
                raise ConfigError(f"{self.alias}: {found['loc'][0]}: {found['msg']}") from error
            # What lies in the way under a move's name is passed by, whatever it is: also if no listing shows it.
            tried = max(tried, *numbers, *_numbers(survey.faults), 0) + 1
            if self._objects.create(f"{self._folder}/{tried:06d}.json", sealed(move.model_dump(mode="json"))):
                return move
        raise RepositoryError(f"{self.alias}: {_ATTEMPTS} other writers were faster; try again")

    def _moves(self) -> list[int]:
        return _numbers(found.path for found in self._objects.list(self._folder))

    def _sound(self, number: int) -> Move | None:
        """The move with this number; None if it is damaged."""
        try:
            return self._read(number)
        except (ManifestError, UnreadableEntryError):
            return None

    def _read(self, number: int) -> Move:
        return read_move(self._objects, f"{self._folder}/{number:06d}.json")


def _named(target: int | None) -> str:
    return "no version yet" if target is None else f"version {target}"


def move_number(filename: str) -> int | None:
    """The number of the move that a file of this name holds; None if no move is called so."""
    digits = filename.removesuffix(".json")
    return int(digits) if digits != filename and _MOVE.fullmatch(digits) else None


def _numbers(paths: Iterable[str]) -> list[int]:
    """The numbers of the moves at these paths, ascending."""
    found = (move_number(path.rpartition("/")[2]) for path in paths)
    return sorted(number for number in found if number is not None)


def read_move(objects: Objects, path: str) -> Move:
    """The move at this path.

    Raises:
        ManifestError: There is no object at this path, or it is not a move.
        UnreadableEntryError: It may not be read, or is no file.
    """
    try:
        return Move.model_validate(opened(objects.get(path) or b"", known=Move.model_fields))
    except ValidationError as error:
        finding = error.errors(include_url=False, include_input=False)[0]["msg"]
    except (ValueError, DamagedVersionError) as error:
        finding = str(error)
    raise ManifestError(f"{path}: not a move of an alias: {finding}")


def standing_promotions(moves: list[Move]) -> list[int]:
    """The versions whose promotion no rollback has undone, the oldest first; repeated promotions count once.

    The last of them is where the last move points, even if a move is missing because it is damaged.
    """
    standing: list[int] = []
    for move in moves:
        if move.action == "rollback" and move.version in standing:
            while standing[-1] != move.version:
                standing.pop()
        elif move.action == "rollback":  # to a version whose promotion is missing
            standing[-1:] = [move.version]
        elif not standing or standing[-1] != move.version:
            standing.append(move.version)
    return standing
