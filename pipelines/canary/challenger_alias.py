"""Which version is a canary, as the moves of the aliases say: a canary needs no other record.

It begins with a move of the alias `challenger`, whose reason names the champion that it is compared with. It is over
with the next move that leads elsewhere, whose reason says why; or once it has become the champion. What people, or a
sweep, point the alias at is no canary in this sense: it stays theirs, and never goes forward by itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.artifact.alias import Move

__all__ = ["CHALLENGER", "FOLLOWS", "Canary", "astray_in", "begun", "canary_in", "canary_of", "end_of", "over"]

CHALLENGER = "challenger"
"""The alias."""

FOLLOWS = "no version is a canary, and the alias follows the champion"
"""The reason of a move to the champion while there is no canary."""

_OVER = re.compile(r"the canary of version [1-9][0-9]{0,8} is over: ")
_BEGUN = re.compile(r"as a canary beside version ([1-9][0-9]{0,8}): ")


@dataclass(frozen=True)
class Canary:
    """A version that is a canary.

    Attributes:
        version: Its number.
        beside: The champion that it is compared with.
        begun: Since when.
    """

    version: int
    beside: int
    begun: datetime


def begun(beside: int, reasons: str) -> str:
    """The reason of the move with which a canary begins.

    Args:
        beside: The champion that it will be compared with.
        reasons: Why the version may become champion.
    """
    return f"as a canary beside version {beside}: {reasons}"


def over(version: int, why: str) -> str:
    """The reason of the move to the champion with which a canary ends."""
    return f"the canary of version {version} is over: {why}"


def canary_in(moves: Sequence[Move], champions: Sequence[Move]) -> Canary | None:
    """The version that is a canary now; None if none is.

    Args:
        moves: Of the alias `challenger`, the oldest first.
        champions: Those of the alias `champion`. What was the champion once is no canary, whether it still is the
            champion or was rolled back.
    """
    found = canary_of(moves[-1]) if moves else None
    return None if found and any(move.version == found.version for move in champions) else found


def astray_in(moves: Sequence[Move], champions: Sequence[Move]) -> int | None:
    """The version that the alias was left at when a canary was over, if it is not the champion any more.

    Services still send it calls: the champion was moved by hand since, or rolled back. None if there is none.

    Args:
        moves: As for `canary_in`.
        champions: Likewise.
    """
    if not moves or not champions or canary_in(moves, champions):
        return None
    last = moves[-1]
    left = canary_of(last) or _OVER.match(last.why) or last.why == FOLLOWS
    return last.version if left and last.version != champions[-1].version else None


def end_of(moves: Sequence[Move], version: int) -> str | None:
    """Why a version is no longer a canary: the reason of the move that ended it. None if it never was one, or still is.

    Args:
        moves: Of the alias `challenger`, the oldest first.
        version: Which version.
    """
    ended: str | None = None
    was_one = False
    for move in moves:
        found = canary_of(move)
        if found and found.version == version:
            was_one, ended = True, None
        elif was_one and ended is None:
            ended = f"version {move.version} became the {CHALLENGER}: {move.why}" if found else move.why
    return ended


def canary_of(move: Move) -> Canary | None:
    """The canary that begins with a move; None if none does."""
    named = _BEGUN.match(move.why) if move.action == "promote" else None
    return Canary(move.version, int(named[1]), move.at) if named else None
