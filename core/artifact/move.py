"""One move of an alias, as an object holds it, and what several moves say together."""

import re
from typing import Literal, TypeAlias

from pydantic import ValidationError

from core.artifact.fields import Moment, Part, Text, VersionNumber
from core.artifact.objects import Objects
from core.artifact.sealed import opened
from core.errors import DamagedVersionError, ManifestError

__all__ = ["Action", "Move", "move_number", "read_move", "standing_promotions"]

Action: TypeAlias = Literal["promote", "rollback"]

_MOVE = re.compile(r"0[0-9]{5}|[1-9][0-9]{5,11}")
"""The one spelling of a move's number: six digits, more only from a million on, and at most twelve."""


class Move(Part):
    """One move of an alias."""

    version: VersionNumber
    previous: VersionNumber | None
    action: Action = "promote"
    at: Moment
    by: Text
    why: Text


def move_number(filename: str) -> int | None:
    """The number of the move that a file of this name holds; None if no move is called so."""
    digits = filename.removesuffix(".json")
    return int(digits) if digits != filename and _MOVE.fullmatch(digits) else None


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
