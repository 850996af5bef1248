"""Which version to serve. Pure decisions: no threads, no clocks, no storage; see the tables in its tests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.artifact.alias import Move, standing_promotions

__all__ = ["PRETRAINED", "Refusal", "choose", "fallbacks", "pretrained_serves", "still_refused"]

PRETRAINED = 0
"""The number that stands for the version that ships with Numeral; those of a repository begin with 1."""


@dataclass(frozen=True)
class Refusal:
    """Why a version is not served.

    Attributes:
        reason: For people.
        seen: The digest of the repository's listing when the version was tried.
    """

    reason: str
    seen: str


def still_refused(refusals: Mapping[int, Refusal], digest: str) -> frozenset[int]:
    """The versions that need not be tried again, because nothing has changed since they were refused.

    The digest covers every object of the model. So a version that was mended in place is tried again, and so it is,
    in vain, when only something else has changed: a few milliseconds off the serving path.
    """
    return frozenset(version for version, refusal in refusals.items() if refusal.seen == digest)


def pretrained_serves(*, champion: int | None, available: Collection[int], active: int | None) -> bool:
    """Whether the version that ships with Numeral is the one to serve.

    Only until a version is published, and never after one has served. It hides no fault: where versions are there, of
    which none is promoted or sound, whoever runs the service must see that.

    Args:
        champion: Where the alias points; None if nothing was promoted.
        available: The versions that exist in the repository.
        active: What is served.
    """
    return champion is None and not available and active in (None, PRETRAINED)


def choose(
    *, champion: int | None, active: int | None, refused: Collection[int], fallbacks: Sequence[int] = ()
) -> int | None:
    """The version to serve now.

    - The champion, wherever it may be had: newer or, after a rollback, older than what is served.
    - Else what is served already: neither a damaged version nor a repository that is suddenly empty unloads a model.
    - Else, at a cold start with a damaged champion, the best earlier version.

    Args:
        champion: Where the alias points; None if nothing was promoted, or nothing is there any more.
        active: What is served; it may be `PRETRAINED`, and then goes on until a sound champion is there.
        refused: Versions that were tried and cannot be served.
        fallbacks: What to try in the champion's place at a cold start, the best first.

    Returns:
        A version; None if there is none to serve.
    """
    if champion is not None and champion not in refused:
        return champion
    if active is not None or champion is None:
        return active
    return next((version for version in fallbacks if version not in refused), None)


def fallbacks(champion: int, available: Collection[int], moves: Sequence[Move]) -> tuple[int, ...]:
    """What may stand in for a champion that cannot be served, the best first.

    First the earlier champions, as a rollback would walk back through them; then, better than no answer at all, other
    versions older than the champion, the newest first. Never what a rollback has withdrawn, and never anything newer
    that was not promoted.

    Args:
        champion: Where the alias points.
        available: The versions that exist.
        moves: The alias's history, the oldest first.
    """
    standing = standing_promotions(list(moves))
    withdrawn = {move.version for move in moves} - set(standing)
    older = sorted((v for v in available if v < champion and v not in withdrawn), reverse=True)
    ranked = dict.fromkeys([*reversed(standing), *older])
    return tuple(version for version in ranked if version in available and version != champion)
