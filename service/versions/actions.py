"""What the follower of versions does next, as pure functions: no threads, no clocks, no storage, no log.

See the table in its tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from core.artifact.alias import Move
from service.versions import policy
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER, UNNAMED, Wishes

__all__ = [
    "Action",
    "Drop",
    "Load",
    "ReadHistory",
    "Release",
    "Serve",
    "Stay",
    "Verify",
    "Versions",
    "decide",
    "next_action",
]


@dataclass(frozen=True)
class Load:
    """Bring a version into memory. Nothing serves it yet."""

    number: int


@dataclass(frozen=True)
class Verify:
    """A version's objects have changed since it was loaded: find out whether its number stands for other weights."""

    number: int


@dataclass(frozen=True)
class ReadHistory:
    """Read the moves of an alias, from which its earlier versions are known."""

    alias: str


@dataclass(frozen=True)
class Serve:
    """Answer the calls under a name by a version in memory.

    Attributes:
        name: The name.
        number: The version.
        instead_of: The version that the name stands for, if this one stands in for it.
    """

    name: str
    number: int
    instead_of: int | None = None


@dataclass(frozen=True)
class Drop:
    """Answer no more calls under a name."""

    name: str


@dataclass(frozen=True)
class Release:
    """Free the version that is kept on probation."""


Action = Load | Verify | ReadHistory | Serve | Drop | Release


class Stay(Enum):
    """Why nothing is to be done for a name."""

    AS_WISHED = auto()
    """The version that is wanted serves, or the best that can stand in for it."""

    NO_TARGET = auto()
    """The name stands for no version; what serves under it goes on."""

    NONE_SERVABLE = auto()
    """Neither the version that the name stands for nor any that could stand in for it can be served."""

    NO_MEMORY = auto()
    """There is not enough memory for the version that is wanted; what serves goes on."""

    DAMAGED_SINCE = auto()
    """The version that serves can no longer be loaded; its copy in memory is sound."""

    GONE = auto()
    """The version that serves is no longer in the repository; its copy in memory is sound."""


@dataclass(frozen=True)
class Versions:
    """Everything, beside the wishes, that decides what to do next.

    What the repository shows:

    Attributes:
        available: The versions that exist.
        aliases: Where each alias points.
        stamps: What the objects of each version look like: see `core.artifact.repository.Snapshot`.
        moves: The history of the policy's alias, the oldest first; None as long as it was not read.
        pretrained: Whether there is a pretrained version.

    What is in memory:
        held: The versions in memory, each with the stamp of the objects that it was last found to match.
        named: The version that answers under each name.
        outdated: The names under which a copy answers that is not the one in `held`: its number stands for other
            weights now.
        before: The version kept on probation, to fall back to.
        outgrown: Whether a version of the repository has served before.

    What was tried:
        refused: Versions that cannot be served, as long as their objects stay as they are.
        too_large: Versions for which there is not enough memory now.

    What was decided:
        withdrawn: Versions that could be served and must not, by an operator's decision or the service's own.
        ordered: Versions that an operator has loaded beside what is wished.
        pinned: The version that an operator has pinned, to answer the calls that name none.
        closed: Whether an operator has unloaded the model as a whole.
    """

    available: Sequence[int] = ()
    aliases: Mapping[str, int] = field(default_factory=dict)
    stamps: Mapping[int, str] = field(default_factory=dict)
    moves: Sequence[Move] | None = None
    pretrained: bool = False
    held: Mapping[int, str] = field(default_factory=dict)
    named: Mapping[str, int] = field(default_factory=dict)
    outdated: frozenset[str] = frozenset()
    before: int | None = None
    outgrown: bool = False
    refused: frozenset[int] = frozenset()
    too_large: frozenset[int] = frozenset()
    withdrawn: frozenset[int] = frozenset()
    ordered: Sequence[int] = ()
    pinned: int | None = None
    closed: bool = False

    @property
    def bad(self) -> frozenset[int]:
        """The versions that are not to be served."""
        return self.refused | self.withdrawn

    def names(self, wishes: Wishes) -> tuple[str, ...]:
        """The names under which versions are to serve.

        What answers calls that name none comes first, so that it waits for nothing else: a pinned version, then the
        policy, which is followed under a pin as well, for calls that name its alias and for the time after the pin.
        """
        pin = () if self.pinned is None else (UNNAMED,)
        return () if self.closed else tuple(dict.fromkeys((*pin, *wishes.names, *map(str, self.ordered))))

    def target(self, name: str) -> int | None:
        """The version that a name stands for; None if there is none."""
        if name == UNNAMED:
            return self.pinned
        return policy.resolve(name, self.available, self.aliases, self.bad)


def next_action(versions: Versions, wishes: Wishes) -> Action | None:
    """The next thing to do so that what serves is what is wished; None if there is nothing.

    Repeating it ends. While one snapshot of the repository and one set of decisions are followed, each action makes a
    step that cannot be undone, and there are only so many steps to make:

    - `ReadHistory` is asked for once: afterwards `moves` is known.
    - `Verify(n)` ends with the stamp of n brought up to date, or with n no longer in `held`.
    - `Load(n)` ends with n in `held`, in `refused` or in `too_large`. `refused` only grows, so that it happens once.
      `too_large` is emptied by `Release` and by the end of a pin alone. What is held is served next, and what serves is
      not freed.
    - `Serve` gives a name the version that is wanted, and a name that has it wants no other: the target of a name
      changes only when `refused` grows, and a version that serves from memory is not tried again.
    - `Drop` is asked for where no version is wanted; this stays so, as `refused` only grows.
    - `Release` empties `before`, which only a `Serve` of the policy's name or the end of a pin fills again: it happens
      three times at most.
    """
    names = versions.names(wishes)
    for name in versions.named:
        if name not in names and (name != UNNAMED or _can_leave_pin(versions, wishes)):
            return Drop(name)
    if versions.closed and versions.before is not None:
        return Release()
    found = (decide(name, versions, wishes) for name in names)
    return next((action for action in found if not isinstance(action, Stay)), None)


def _can_leave_pin(versions: Versions, wishes: Wishes) -> bool:
    """Whether the policy has all it can have, so that a version whose pin has ended may go: calls have an answer."""
    return versions.closed or isinstance(decide(wishes.policy, versions, wishes), Stay)


def decide(name: str, versions: Versions, wishes: Wishes) -> Action | Stay:
    """What to do so that the right version answers under one name.

    Args:
        name: One of `versions.names(wishes)`.
        versions: What there is.
        wishes: What to serve.
    """
    target, current = versions.target(name), versions.named.get(name)
    leaves = current is not None and current in versions.withdrawn
    if target is None and not leaves:
        return _without_target(name, versions, wishes)
    stand_ins: Sequence[int] = ()
    if name == wishes.policy and not name.startswith(PINNED) and (current is None or leaves):
        found = _stand_ins(name, target, versions, leaves=leaves)
        if isinstance(found, ReadHistory):
            return found
        stand_ins = found
    wanted = policy.choose(
        champion=target,
        active=current,
        refused=versions.refused,
        withdrawn=versions.withdrawn,
        fallbacks=stand_ins,
    )
    if wanted is None:
        return Stay.NONE_SERVABLE if current is None else Drop(name)
    if wanted == current and wanted in versions.refused:
        return Stay.DAMAGED_SINCE
    return _obtain(name, wanted, versions, instead_of=target)


def _without_target(name: str, versions: Versions, wishes: Wishes) -> Action | Stay:
    """Leave everything as it is; but where nothing was published yet, the pretrained version serves."""
    current = versions.named.get(name)
    pretrained_serves = policy.pretrained_serves(
        champion=None, available=versions.available, active=current, outgrown=versions.outgrown
    )
    if name == wishes.policy and versions.pretrained and pretrained_serves:
        if current == PRETRAINED_NUMBER:
            return Stay.AS_WISHED
        if PRETRAINED_NUMBER not in versions.bad:
            return _obtain(name, PRETRAINED_NUMBER, versions)
    return Stay.NO_TARGET


def _stand_ins(name: str, target: int | None, versions: Versions, *, leaves: bool) -> Sequence[int] | ReadHistory:
    """The versions that may stand in for what the policy stands for, the best first."""
    if leaves and versions.before is not None and versions.before not in versions.bad:
        return (versions.before,)  # it is in memory: no storage is needed
    if target is None or target not in versions.bad:
        return ()
    if name == LATEST:
        return policy.fallbacks(target, versions.available, ())
    if versions.moves is None:
        return ReadHistory(name)
    return policy.fallbacks(target, versions.available, versions.moves)


def _obtain(name: str, wanted: int, versions: Versions, instead_of: int | None = None) -> Action | Stay:
    """What is left to do until a version that can be served answers under a name."""
    stamp = versions.stamps.get(wanted, "")
    if wanted not in versions.held:
        if wanted not in versions.too_large:
            return Load(wanted)
        return Stay.NO_MEMORY if versions.before is None else Release()
    if stamp and versions.held[wanted] != stamp:
        return Verify(wanted)
    if versions.named.get(name) != wanted or name in versions.outdated:
        return Serve(name, wanted, None if instead_of == wanted else instead_of)
    return Stay.AS_WISHED if versions.held[wanted] == stamp else Stay.GONE
