"""The models in memory: one table of them, swapped whole."""

import logging
from itertools import count
from typing import Literal

from core.artifact.repository import Repository
from core.inference.predict import rebuild
from service.call import canary_key
from service.errors import NoModelError, NotReadyError, UnknownVersionError
from service.loaded import Loaded, label
from service.versions import memory, policy
from service.versions.routes import Routes, VersionStatus
from service.wire import PRETRAINED, in_words
from service.wishes import LATEST, PINNED, PRETRAINED_NUMBER, Wishes

__all__ = [
    "Store",
]


_log = logging.getLogger(__name__)


class Store:
    """Holds the versions that are loaded. Many threads read it; one, the watcher's, changes it.

    Attributes:
        wishes: What whoever runs the service wants it to serve.
        loading: The number of the version that is being loaded now.
    """

    def __init__(self, repository: Repository, pretrained: str | None = None, wishes: Wishes | None = None) -> None:
        """Start empty.

        Args:
            repository: Where versions come from.
            pretrained: URL of the repository whose champion may serve until `repository` holds one; None for none.
            wishes: What to serve; by default the champion.
        """
        self.wishes = wishes or Wishes()
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
        number = PRETRAINED_NUMBER if wanted == PRETRAINED else policy.resolve(wanted, known, routes.aliases)
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
        if not self.wishes.policy.startswith(PINNED) and self.wishes.policy != LATEST:
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
        """Whether `PRETRAINED_NUMBER` may be loaded."""
        return self._pretrained is not None

    def load(self, number: int) -> Loaded:
        """Read, verify, rebuild, probe and warm a version; it does not serve yet.

        Args:
            number: One of the repository's, or `PRETRAINED_NUMBER`.

        Raises:
            ArtifactError: It cannot be served.
        """
        pretrained = self._pretrained if number == PRETRAINED_NUMBER else None
        repository = pretrained or self._repository
        manifest = repository.manifest(pretrained.champion() if pretrained else number)
        memory.require(manifest, memory.left())
        loaded = Loaded.of(number, rebuild(manifest, repository.read(manifest)), manifest)
        loaded.warm()
        return loaded

    def follow(self, routes: Routes) -> None:
        """Answer calls by these routes from now on."""
        self._routes = routes  # one reference assignment: nobody can see half of it
