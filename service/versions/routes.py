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
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER

__all__ = ["Routes", "VersionStatus"]

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
        policy: The name that answers the calls that name no version.
        named: The version that answers under each name, that of the policy among them.
        known: The versions that the repository holds.
        aliases: Where the repository's aliases point.
        reasons: Why versions are not loaded.
        closed: Why no version is to serve; "" if versions are.
        loading: The version that is being loaded.
    """

    url: str
    policy: str
    named: Mapping[str, Loaded] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    aliases: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    closed: str = ""
    loading: int | None = None

    @cached_property
    def versions(self) -> Mapping[int, Loaded]:
        """All versions that answer calls, by number."""
        return {loaded.number: loaded for loaded in self.named.values()}

    @cached_property
    def _nameable(self) -> frozenset[int]:
        """The versions that a call may name, loaded or not."""
        return self.known | self.versions.keys()

    def active(self) -> Loaded:
        """The version that the policy serves.

        Raises:
            NoModelError: None is loaded yet.
        """
        loaded = self.named.get(self.policy)
        if loaded is None:
            raise NoModelError(f"no model is loaded yet from {self.url}; the service waits for one")
        return loaded

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
            return self.active()
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
            ready = ", ".join(map(label, sorted(self.versions)))
            raise UnknownVersionError(f"no version or alias {quoted(wanted)} here; ready: {ready or 'none'}")
        return number

    def names(self, loaded: Loaded) -> tuple[str, ...]:
        """The aliases under which calls reach a version; that of the policy may lead to a stand-in."""
        names = {alias for alias, number in self.aliases.items() if self.versions.get(number) is loaded}
        if not self.policy.startswith(PINNED) and self.policy != LATEST:
            names.discard(self.policy)
            if self.named.get(self.policy) is loaded:
                names.add(self.policy)
        return tuple(sorted(names))

    def index(self) -> list[VersionStatus]:
        """Every version that is known, the pretrained one first if it serves, then by number."""
        return [self._status(number) for number in sorted({*self.known, *self.versions, *self.reasons})]

    def _status(self, number: int) -> VersionStatus:
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
