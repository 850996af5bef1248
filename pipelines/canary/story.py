"""What became of a version as a canary, in words: for `models show`, below what is said about its trial."""

from collections.abc import Sequence

from core.artifact.alias import Move
from pipelines.canary.challenger_alias import CHALLENGER, canary_in, canary_of

__all__ = ["story"]


def story(moves: Sequence[Move], champions: Sequence[Move], version: int) -> list[str]:
    """A sentence for each time that a version was a canary; none if it never was.

    Args:
        moves: Of the alias `challenger`, the oldest first.
        champions: Of the alias `champion`.
        version: Which version.
    """
    promotion = next((move for move in champions if move.version == version), None)
    told = []
    for number, move in enumerate(moves):
        found = canary_of(move)
        if not found or found.version != version:
            continue
        beside = f"a canary beside version {found.beside}"
        after = moves[number + 1] if number + 1 < len(moves) else None
        if canary_in(moves[: number + 1], champions) and after is None:
            told.append(f"Since {_at(move)}, it has been {beside}.")
        elif promotion and promotion.at >= move.at and not (after and after.at < promotion.at):
            told.append(f"From {_at(move)} on, it was {beside}, until it became the champion at {_at(promotion)}.")
        elif after:
            named = "" if after.version == version else f" (the {CHALLENGER} is version {after.version} since)"
            told.append(f"From {_at(move)} to {_at(after)}, it was {beside}{named}: {after.why}")
    return told


def _at(move: Move) -> str:
    return f"{move.at:%Y-%m-%d %H:%M} UTC"
