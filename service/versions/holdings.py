"""The versions in memory: which are held, under which names they answer, and which one is kept to fall back to."""

from dataclasses import dataclass

from service.loaded import Loaded

__all__ = ["Before", "Held", "Holdings"]


@dataclass(frozen=True)
class Held:
    """A version in memory.

    Attributes:
        loaded: The version.
        stamp: The stamp of the objects that it was last found to match.
    """

    loaded: Loaded
    stamp: str


@dataclass(frozen=True)
class Before:
    """The version that served before a newer one.

    Attributes:
        loaded: The version.
        until: When its probation ends, by the follower's clock.
    """

    loaded: Loaded
    until: float


class Holdings:
    """What is in memory. A version that is neither named nor kept to fall back to is freed after its last call.

    Attributes:
        held: The versions in memory, by number.
        named: The version that answers under each name. It may be another than the one that is held under its number:
            a copy that serves until the one that has taken its place is loaded.
        before: The version to fall back to.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self.held: dict[int, Held] = {}
        self.named: dict[str, Loaded] = {}
        self.before: Before | None = None

    def outdated(self) -> frozenset[str]:
        """The names under which another version answers than the one that is held under its number."""
        return frozenset(name for name, loaded in self.named.items() if not self._is_held(loaded))

    def _is_held(self, loaded: Loaded) -> bool:
        held = self.held.get(loaded.number)
        return held is not None and held.loaded is loaded

    def add(self, loaded: Loaded, stamp: str) -> None:
        """Hold a version. It must be named next, or it is freed with the next change."""
        self.held[loaded.number] = Held(loaded, stamp)

    def verified(self, number: int, stamp: str) -> None:
        """A version was found to match objects that look like this."""
        self.add(self.held[number].loaded, stamp)

    def replaced(self, number: int) -> None:
        """A number stands for other weights now. The copy in memory answers until they are loaded."""
        del self.held[number]

    def name(self, name: str, number: int, before: Before | None) -> Loaded:
        """Let a version that is held answer under a name, and keep this version, and no other, to fall back to."""
        self.named[name], self.before = self.held[number].loaded, before
        self._free_unused()
        return self.named[name]

    def drop(self, name: str, before: Before | None) -> None:
        """Let no version answer under a name, and keep this version, and no other, to fall back to."""
        self.before = before
        del self.named[name]
        self._free_unused()

    def release(self) -> None:
        """Keep no version to fall back to."""
        self.before = None
        self._free_unused()

    def _free_unused(self) -> None:
        used = {loaded.number for loaded in self.named.values()}
        if self.before:
            used.add(self.before.loaded.number)
        self.held = {number: held for number, held in self.held.items() if number in used}
