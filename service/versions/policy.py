"""Which versions to serve, and which of them answers a call. Pure decisions: no threads, no clocks, no storage.

See the tables in the tests.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from core.artifact.alias import Move, standing_promotions
from service.texts import version_number
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER

__all__ = [
    "Refusal",
    "choose",
    "drawn",
    "fallbacks",
    "position",
    "pretrained_serves",
    "resolve",
    "still_refused",
]


_GOLDEN = 0.6180339887498949
"""(√5 − 1)/2: its multiples fill the unit interval more evenly than any random draw."""


@dataclass(frozen=True)
class Refusal:
    """Why a version cannot be served.

    Attributes:
        reason: A sentence for the operator.
        seen: The stamp that the version's objects had when it was tried.
    """

    reason: str
    seen: str


def resolve(name: str, versions: Collection[int], aliases: Mapping[str, int], bad: Collection[int] = ()) -> int | None:
    """The version that a name stands for; None if there is none.

    Args:
        name: A version, an alias, `latest`, or `pinned:3`.
        versions: The versions that exist.
        aliases: Where each alias points.
        bad: Versions that `latest` passes over.
    """
    number = version_number(name.removeprefix(PINNED))
    if number is not None:
        return number
    if name == LATEST:
        return max((v for v in versions if v not in bad), default=max(versions, default=None))
    return aliases.get(name)


def still_refused(refusals: Mapping[int, Refusal], stamps: Mapping[int, str]) -> frozenset[int]:
    """The versions that need not be tried again, because their objects have not changed since they were refused.

    Args:
        refusals: Why versions were refused.
        stamps: The present stamp of each version's objects; a version that does not exist has none.
    """
    return frozenset(version for version, refusal in refusals.items() if refusal.seen == stamps.get(version, ""))


def pretrained_serves(
    *, champion: int | None, available: Collection[int], active: int | None, outgrown: bool = False
) -> bool:
    """Whether the version that ships with Numeral is the one to serve.

    It serves only until a version is published, and never after one has served. It hides no fault: if versions exist
    and none of them is promoted or sound, the operator must see that.

    Args:
        champion: What the policy stands for; None if nothing was promoted.
        available: The versions that exist in the repository.
        active: What is served.
        outgrown: Whether a version of the repository has served before.
    """
    return champion is None and not available and active in (None, PRETRAINED_NUMBER) and not outgrown


def choose(
    *,
    champion: int | None,
    active: int | None,
    refused: Collection[int] = (),
    withdrawn: Collection[int] = (),
    fallbacks: Sequence[int] = (),
) -> int | None:
    """The version to serve now under one name.

    - The version that the name stands for, if it can be served: newer or, after a rollback, older than the present one.
    - Otherwise the version that serves already: neither a damaged version nor a repository that is suddenly empty
      unloads a model.
    - Otherwise, at a cold start or when the version that serves was withdrawn, the best earlier one.

    Args:
        champion: What the name stands for; None if nothing was promoted, or the repository is empty.
        active: What is served; it may be `PRETRAINED_NUMBER`, which then goes on until a sound champion exists.
        refused: Versions that were tried and cannot be served.
        withdrawn: Versions that could be served and must not, by an operator's decision or the service's own.
        fallbacks: What to try in the champion's place, the best first.

    Returns:
        A version; None if there is none to serve.
    """
    if champion is not None and champion not in refused and champion not in withdrawn:
        return champion
    if active is not None and active not in withdrawn:
        return active
    return next((version for version in fallbacks if version not in refused and version not in withdrawn), None)


def fallbacks(champion: int, available: Collection[int], moves: Sequence[Move]) -> tuple[int, ...]:
    """The versions that may stand in for a champion that cannot be served, the best first.

    First come the earlier champions, in the order in which rollbacks would return to them; then, better than no answer
    at all, other versions older than the champion, the newest first. Versions that a rollback has withdrawn are left
    out, and so are newer ones that were not promoted.

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


def position(key: str, turn: int) -> float:
    """A call's place in the unit interval, from which shares of the traffic are cut.

    Args:
        key: Calls with the same key have the same place, in every process; "" for none.
        turn: The call's serial number, which places calls without a key: any run of them is spread evenly.
    """
    if key:
        return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) / 2**64
    return turn * _GOLDEN % 1


def drawn(fraction: float, key: str, turn: int) -> bool:
    """Whether a call belongs to a share of the traffic."""
    return position(key, turn) < fraction
