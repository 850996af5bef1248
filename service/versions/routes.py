"""Which version answers which call, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from service.errors import NoModelError, NotReadyError, UnknownVersionError
from service.loaded import Loaded, label
from service.texts import quoted
from service.versions.policy import resolve
from service.wire import PRETRAINED, in_words
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER, UNNAMED

__all__ = ["Routes", "VersionStatus"]

MOST_NAMED = 10
"""Versions that an error names."""

_NOT_SELECTED = "not selected by the serving policy; load it with RepositoryModelLoad, or add it with --serve-also"


@dataclass(frozen=True)
class VersionStatus:
    """The state of one version in the service.

    Attributes:
        version: As replies name it.
        state: Whether it answers calls.
        reason: Why it does not; "" if it does.
        aliases: The aliases that point at it in the repository.
    """

    version: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    reason: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routes:
    """Which version answers which call, at one moment. It never changes: the store replaces it as a whole.

    Attributes:
        url: The repository that versions come from.
        policy: The name that answers the calls that name no version, unless one is pinned.
        named: The version that answers under each name, that of the policy among them.
        known: The versions that the repository holds.
        aliases: Where the repository's aliases point.
        pinned: The version that an operator has pinned, whether it can be served or not; None if none is.
        pretrained: Whether there is a pretrained version.
        reasons: Why versions are not loaded.
        closed: Why no version is to serve; "" if versions are.
        loading: The version that is being loaded.
        stamps: What the objects of each version look like: see `core.artifact.repository.Snapshot`.
    """

    url: str
    policy: str
    named: Mapping[str, Loaded] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    aliases: Mapping[str, int] = field(default_factory=dict)
    pinned: int | None = None
    pretrained: bool = False
    reasons: Mapping[int, str] = field(default_factory=dict)
    closed: str = ""
    loading: int | None = None
    stamps: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def versions(self) -> Mapping[int, Loaded]:
        """All versions that answer calls, by number."""
        return {loaded.number: loaded for loaded in self.named.values()}

    @cached_property
    def _nameable(self) -> frozenset[int]:
        """The versions that a call may name, loaded or not."""
        return self.known | self.versions.keys()

    @cached_property
    def unnamed(self) -> Loaded | None:
        """The version that answers the calls that name none: the pinned one, or else that of the policy."""
        return self.named.get(UNNAMED) or self.named.get(self.policy)

    def active(self) -> Loaded:
        """The same.

        Raises:
            NoModelError: None is loaded yet.
        """
        if self.unnamed is None:
            raise self._none_loaded()
        return self.unnamed

    def _none_loaded(self) -> NoModelError:
        return NoModelError(f"no model is loaded yet from {self.url}; the service waits for one")

    def find(self, wanted: str) -> Loaded:
        """The version that answers a call.

        Args:
            wanted: A version ("3") or an alias ("champion").

        Raises:
            NoModelError: The policy was named, and no version is loaded yet.
            UnknownVersionError: There is no such version.
            NotReadyError: The version exists, and is not loaded.
        """
        if loaded := self.named.get(wanted):
            return loaded
        if wanted == self.policy:
            raise self._none_loaded()
        number = self.number(wanted)
        if loaded := self.versions.get(number):
            return loaded
        raise NotReadyError(f"{in_words(label(number))} is not ready: {self._reason(number)}")

    def number(self, wanted: str) -> int:
        """The number of the version that a name stands for in the repository, loaded or not.

        Raises:
            UnknownVersionError: There is no such version.
        """
        number = PRETRAINED_NUMBER if wanted == PRETRAINED else resolve(wanted, self._nameable, self.aliases)
        if number is None or number not in self._nameable:
            ready = ", ".join(map(label, sorted(self.versions)[-MOST_NAMED:]))
            raise UnknownVersionError(f"no version or alias {quoted(wanted)} here; ready: {ready or 'none'}")
        return number

    def pinnable(self, wanted: str) -> int:
        """The same for a version that is to be pinned: the pretrained one may be, too, whether it serves or not.

        Raises:
            UnknownVersionError: There is no such version.
        """
        return PRETRAINED_NUMBER if self.pretrained and wanted == PRETRAINED else self.number(wanted)

    def names(self, loaded: Loaded) -> tuple[str, ...]:
        """The aliases under which calls reach a version; that of the policy may lead to a stand-in."""
        names = {alias for alias, number in self.aliases.items() if self.versions.get(number) is loaded}
        if not self.policy.startswith(PINNED) and self.policy != LATEST:
            names.discard(self.policy)
            if self.named.get(self.policy) is loaded:
                names.add(self.policy)
        return tuple(sorted(names))

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all versions that are known, ascending; that of the pretrained one among them if it serves."""
        return tuple(sorted({*self.known, *self.versions, *self.reasons}))

    def index(self) -> list[VersionStatus]:
        """Every version that is known, the pretrained one first if it serves, then by number."""
        return [self.status(number) for number in self.numbers]

    def status(self, number: int) -> VersionStatus:
        """The state of one of them."""
        aliases = tuple(sorted(alias for alias, target in self.aliases.items() if target == number))
        if number in self.versions and not self.closed:
            return VersionStatus(label(number), "READY", "", aliases)
        if number == self.loading:
            return VersionStatus(label(number), "LOADING", "", aliases)
        return VersionStatus(label(number), "UNAVAILABLE", self.closed or self._reason(number), aliases)

    def _reason(self, number: int) -> str:
        if number == self.loading:
            return "it is being loaded; try again"
        return self.reasons.get(number, _NOT_SELECTED)
