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
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Literal, TypeAlias

from pydantic import ValidationError

from core.artifact.folder import StoredObject
from core.artifact.manifest import MANIFEST
from core.artifact.move import Action, Move, move_number, read_move, standing_promotions
from core.artifact.objects import Objects
from core.artifact.sealed import sealed
from core.errors import (
    AliasMovedError,
    ConfigError,
    ManifestError,
    RepositoryError,
    UnreadableEntryError,
    VersionNotFoundError,
)

__all__ = ["ANY", "AliasLog", "Expected", "Move", "standing_promotions"]


class _Anywhere(Enum):
    ANY = "any"


ANY: Final = _Anywhere.ANY
"""The expectation of a move that is made wherever the alias points."""

Expected: TypeAlias = int | Literal[_Anywhere.ANY] | None
"""Where an alias must point for a move to be made: to a version, to none yet (None), or anywhere (`ANY`)."""

_NAME = re.compile(r"(?!(latest|pretrained)$)[A-Za-z][\w.-]*")
"""Excludes names that the service takes for a version (a number, `pretrained`) or for its policy `latest`."""

_ATTEMPTS = 200  # each failed attempt is a move by another writer; so many in a row cannot be a mere race


class AliasLog:
    """The moves of one alias. A move that was read is not read again: a log has some hundreds of them after a year.

    Any number of threads may use it at once.
    """

    def __init__(self, objects: Objects, model: str, alias: str) -> None:
        self._objects = objects
        self._model = model
        self._folder = f"{model}/aliases/{alias}"
        self.alias = alias
        self._known: dict[StoredObject, Move] = {}

    def target(self) -> int | None:
        """The version that the alias points to, by its last sound move; None before the first.

        Raises:
            ManifestError: There are moves, and none is sound.
            UnreadableEntryError: Likewise.
        """
        stored = self._stored()
        for _, found in reversed(stored):
            if move := self._sound(found):
                return move.version
        return read_move(self._objects, stored[-1][1].path).version if stored else None

    def last_sound(self) -> int:
        """The number of the last move that is sound; 0 if none is."""
        return next((number for number, found in reversed(self._stored()) if self._sound(found)), 0)

    def history(self) -> list[Move]:
        """All sound moves, the oldest first."""
        return self._read(self._stored())

    def newest(self, most: int, below: int | None = None) -> tuple[list[tuple[int, Move]], bool]:
        """The newest sound moves. No others are read.

        Args:
            most: How many at most.
            below: Only moves with lower numbers; None for all.

        Returns:
            The moves with their numbers, the newest first, and whether there may be earlier ones.
        """
        stored = [(number, found) for number, found in self._stored() if below is None or number < below][::-1]
        moves: list[tuple[int, Move]] = []
        sound = self._objects.for_each([found for _, found in stored], self._sound)
        for place, ((number, _), move) in enumerate(zip(stored, sound, strict=True), 1):
            if move is not None:
                moves.append((number, move))
            if len(moves) >= most:
                return moves, place < len(stored)
        return moves, False

    def hidden(self) -> dict[int, str]:
        """What is wrong with moves that this user may not read, by their numbers: for others they may be sound."""
        survey = self._objects.survey(self._folder)
        faults = {path: f"{path}: {survey.faults[path]}" for path in survey.hidden}
        found = {number: fault for path, fault in faults.items() if (number := _number(path)) is not None}
        stored = _numbered(survey.objects)
        self._read(stored)
        for number, each in stored:
            try:
                if each not in self._known:
                    read_move(self._objects, each.path)
            except ManifestError:  # torn: it says nothing to anybody
                continue
            except UnreadableEntryError as error:
                found[number] = str(error)
        return dict(sorted(found.items()))

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
                f"{self.alias}: points to {_named(found)}, expected {_named(expecting)}; another writer has moved it"
            )

    def _append(self, decide: Callable[[list[Move]], tuple[int, Action]], *, by: str, why: str) -> Move:
        tried = 0
        for _ in range(_ATTEMPTS):
            survey = self._objects.survey(self._folder)
            stored = _numbered(survey.objects)
            moves = self._read(stored)  # after a lost race, only the new ones are read
            version, action = decide(moves)
            previous = moves[-1].version if moves else None
            try:
                move = Move(version=version, previous=previous, action=action, at=datetime.now(UTC), by=by, why=why)
            except ValidationError as error:
                found = error.errors(include_url=False)[0]
                raise ConfigError(f"{self.alias}: {found['loc'][0]}: {found['msg']}") from error
            # What lies in the way under a move's name is passed by, whatever it is: also if no listing shows it.
            in_the_way = [_number(path) or 0 for path in survey.faults]
            tried = max(tried, *(number for number, _ in stored), *in_the_way, 0) + 1
            if self._objects.create(f"{self._folder}/{tried:06d}.json", sealed(move.model_dump(mode="json"))):
                return move
        raise RepositoryError(f"{self.alias}: {_ATTEMPTS} other writers were faster; try again")

    def _stored(self) -> list[tuple[int, StoredObject]]:
        """The numbers of all moves, ascending, with the objects that hold them."""
        return _numbered(self._objects.list(self._folder))

    def _read(self, stored: Sequence[tuple[int, StoredObject]]) -> list[Move]:
        """Those of these moves that are sound."""
        unread = [found for _, found in stored if found not in self._known]
        for _ in self._objects.for_each(unread, self._sound):
            pass
        return [self._known[found] for _, found in stored if found in self._known]

    def _sound(self, found: StoredObject) -> Move | None:
        """The move that an object holds; None if it is damaged. The object of a listing says whether it has changed."""
        if found not in self._known:
            try:
                self._known[found] = read_move(self._objects, found.path)
            except (ManifestError, UnreadableEntryError):
                return None
        return self._known[found]


def _named(target: int | None) -> str:
    return "no version yet" if target is None else f"version {target}"


def _number(path: str) -> int | None:
    """The number of the move at a path; None if no move is called so."""
    return move_number(path.rpartition("/")[2])


def _numbered(found: Iterable[StoredObject]) -> list[tuple[int, StoredObject]]:
    """The moves among these objects with their numbers, ascending."""
    return sorted((number, each) for each in found if (number := _number(each.path)) is not None)
