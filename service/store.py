"""The models in memory: one table of them, swapped whole."""

import logging
import weakref
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, Self

import numpy as np

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.errors import NumeralError
from core.predictor import Predictor, rebuild
from service import memory, policy
from service.reading import PRETRAINED, in_words

__all__ = [
    "Loaded",
    "NoModelError",
    "NotReadyError",
    "Routes",
    "Store",
    "UnknownVersionError",
    "VersionStatus",
    "canary_key",
    "label",
]

WARM_BATCHES = (1, 64)
"""What a version computes before it serves: the first call of each kind pays for scratch arrays and BLAS start-up."""

canary_key: ContextVar[str] = ContextVar("canary_key", default="")
"""Of the call under way: a canary answers all calls with the same key, or none of them; "" for calls without one."""

_log = logging.getLogger(__name__)


class NoModelError(NumeralError):
    """No model is loaded yet."""


class UnknownVersionError(NumeralError):
    """A call wants a version that is not there."""


class NotReadyError(NumeralError):
    """A call wants a version that is there, and is not loaded."""


@dataclass(frozen=True)
class Loaded:
    """One version, ready to serve. All of it belongs together: read it once, then use nothing else for the answer.

    Attributes:
        predictor: Any number of threads may call it.
        manifest: What is known about the version.
        number: Its number in the repository; `policy.PRETRAINED` for the pretrained version, which is not from there.
        version: As replies name it, e.g. "3", or "pretrained".
        weights_sha256: In hexadecimal.
    """

    predictor: Predictor
    manifest: Manifest
    number: int
    version: str
    weights_sha256: str

    @classmethod
    def of(cls, number: int, predictor: Predictor, manifest: Manifest) -> Self:
        """Put a predictor and its manifest together."""
        loaded = cls(predictor, manifest, number, label(number), manifest.files[WEIGHTS].sha256)
        freed = weakref.finalize(loaded, _log.debug, "%s is freed: its last call has ended", loaded.words)
        freed.atexit = False
        return loaded

    @property
    def words(self) -> str:
        """Its name in a sentence, e.g. "version 3"."""
        return in_words(self.version)

    def warm(self) -> None:
        """Compute once what will be computed often, in the thread that asks: each has its own scratch arrays."""
        for size in WARM_BATCHES:
            self.predictor.probabilities(np.zeros((size, 28, 28), np.uint8))


@dataclass(frozen=True)
class VersionStatus:
    """What one version is to the service.

    Attributes:
        version: As replies name it.
        state: Whether it answers calls.
        reason: Why it does not; "" where it does.
        aliases: The repository's names for it.
    """

    version: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    reason: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routes:
    """Which version answers which call, at one moment.

    Attributes:
        named: What is loaded, under the names that whoever runs the service gave; that of the policy is among them.
        versions: All that is loaded, by number.
        known: The versions that the repository holds.
        aliases: Where the repository's aliases point.
        reasons: Why versions are not loaded.
        closed: Why nothing is to be served; "" as long as something is.
    """

    named: Mapping[str, Loaded] = field(default_factory=dict)
    versions: Mapping[int, Loaded] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    aliases: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    closed: str = ""


def label(number: int) -> str:
    """How replies name the version of a number."""
    return PRETRAINED if number == policy.PRETRAINED else str(number)


class Store:
    """Holds the versions that are loaded. Many threads read it; one, the watcher's, changes it.

    Attributes:
        wishes: What whoever runs the service wants it to serve.
        loading: The number of the version that is being loaded now.
    """

    def __init__(
        self, repository: Repository, pretrained: str | None = None, wishes: policy.Wishes | None = None
    ) -> None:
        """Start empty.

        Args:
            repository: Where versions come from.
            pretrained: URL of the repository whose champion may serve until `repository` holds one; None for none.
            wishes: What to serve; by default the champion.
        """
        self.wishes = wishes or policy.Wishes()
        self.loading: int | None = None
        self._repository = repository
        self._pretrained = Repository(pretrained) if pretrained else None
        self._routes = Routes()
        self._turns = count()

    # for calls

    def active(self) -> Loaded | None:
        """What the policy serves now. Read it once for a request: the next read may give another version."""
        return self._routes.named.get(self.wishes.policy)

    def loaded(self) -> list[Loaded]:
        """All that is loaded and answers some calls."""
        return list(self._routes.versions.values())

    def named(self, name: str) -> Loaded | None:
        """What is loaded under one of the names in `wishes`."""
        return self._routes.named.get(name)

    def choose(self, wanted: str = "") -> Loaded:
        """The version that answers the call under way. Take it once for a call; the next time it may be another.

        Args:
            wanted: A version ("3"), an alias ("champion"), or "" for the one that the policy gives.

        Raises:
            NoModelError: None is loaded yet.
            UnknownVersionError: There is no such version.
            NotReadyError: There is, and it is not loaded.
        """
        routes = self._routes
        if routes.closed:
            raise NotReadyError(routes.closed)
        if wanted:
            return self._by_name(wanted, routes)
        canary = self.wishes.canary
        if (
            canary
            and canary.name in routes.named
            and policy.drawn(canary.fraction, canary_key.get(), next(self._turns))
        ):
            return routes.named[canary.name]
        return self._active_in(routes)

    def _by_name(self, wanted: str, routes: Routes) -> Loaded:
        if loaded := routes.named.get(wanted):
            return loaded
        if wanted == self.wishes.policy:
            return self._active_in(routes)
        number = self._number_in(routes, wanted)
        if loaded := routes.versions.get(number):
            return loaded
        raise NotReadyError(f"{in_words(label(number))} is not ready: {self._reason(number, routes)}")

    def number(self, wanted: str = "") -> int:
        """The number of the version that a name stands for in the repository, loaded or not; "" is the policy.

        Raises:
            UnknownVersionError: There is no such version.
        """
        return self._number_in(self._routes, wanted or self.wishes.policy)

    def _number_in(self, routes: Routes, wanted: str) -> int:
        known = routes.known | routes.versions.keys()
        number = policy.PRETRAINED if wanted == PRETRAINED else policy.resolve(wanted, known, routes.aliases)
        if number is None or number not in known:
            ready = ", ".join(map(label, sorted(routes.versions)))
            raise UnknownVersionError(f"no version or alias {wanted!r} here; ready: {ready or 'none'}")
        return number

    def _active_in(self, routes: Routes) -> Loaded:
        loaded = routes.named.get(self.wishes.policy)
        if loaded is None:
            raise NoModelError(f"no model is loaded yet from {self._repository.url}; the service waits for one")
        return loaded

    def ready(self, wanted: str = "") -> bool:
        """Whether `choose` would give a version.

        Raises:
            UnknownVersionError: There is no such version.
        """
        try:
            self.choose(wanted)
        except (NoModelError, NotReadyError):
            return False
        return True

    def names(self, loaded: Loaded) -> tuple[str, ...]:
        """The aliases by which calls reach a version; that of the policy may lead to a stand-in."""
        routes = self._routes
        own = {alias for alias, number in routes.aliases.items() if routes.versions.get(number) is loaded}
        if not self.wishes.policy.startswith(policy.PINNED) and self.wishes.policy != policy.LATEST:
            own.discard(self.wishes.policy)
            own |= {self.wishes.policy} if routes.named.get(self.wishes.policy) is loaded else set()
        return tuple(sorted(own))

    def index(self) -> list[VersionStatus]:
        """Every version that is known, the pretrained one first if it serves, then by number."""
        routes = self._routes
        found = []
        for number in sorted({*routes.known, *routes.versions, *routes.reasons}):
            reason = routes.closed or ("" if number in routes.versions else self._reason(number, routes))
            state: Literal["READY", "LOADING", "UNAVAILABLE"] = "UNAVAILABLE" if reason else "READY"
            if reason and number == self.loading:
                state, reason = "LOADING", ""
            names = tuple(sorted(alias for alias, target in routes.aliases.items() if target == number))
            found.append(VersionStatus(label(number), state, reason, names))
        return found

    def _reason(self, number: int, routes: Routes) -> str:
        if number == self.loading:
            return "it is being loaded; try again"
        return routes.reasons.get(
            number, "the policy does not ask for it; have it loaded, or name it in what is served"
        )

    # for the watcher

    @property
    def has_pretrained(self) -> bool:
        """Whether `policy.PRETRAINED` may be loaded."""
        return self._pretrained is not None

    def load(self, number: int) -> Loaded:
        """Read, verify, rebuild, probe and warm a version; it does not serve yet.

        Args:
            number: One of the repository's, or `policy.PRETRAINED`.

        Raises:
            ArtifactError: It cannot be served.
        """
        pretrained = self._pretrained if number == policy.PRETRAINED else None
        repository = pretrained or self._repository
        manifest = repository.manifest(pretrained.champion() if pretrained else number)
        memory.require(manifest, memory.left())
        loaded = Loaded.of(number, rebuild(manifest, repository.read(manifest)), manifest)
        loaded.warm()
        return loaded

    def follow(self, routes: Routes) -> None:
        """Answer calls by these routes from now on."""
        self._routes = routes  # one reference assignment: nobody can see half of it
