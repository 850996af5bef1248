"""The versions in memory, and which of them answers a call: one reference to the present routes, swapped whole."""

from itertools import count

from service.call import canary_key
from service.errors import NoModelError, NotReadyError
from service.loaded import Loaded, label
from service.versions import policy
from service.versions.routes import Routes, VersionStatus
from service.wishes import UNNAMED, Wishes

__all__ = ["Store"]


class Store:
    """Answers which version serves a call. Many threads read it; only the watcher's thread changes it.

    Attributes:
        wishes: What the operator wants the service to serve.
    """

    def __init__(self, url: str, wishes: Wishes | None = None) -> None:
        """Start empty.

        Args:
            url: The repository that versions come from, for messages.
            wishes: What to serve; by default the champion.
        """
        self.wishes = wishes or Wishes()
        self._routes = Routes(url, self.wishes.policy)
        self._turns = count()

    @property
    def routes(self) -> Routes:
        """Which version answers which call now. It never changes: read it once for a whole answer."""
        return self._routes

    def follow(self, routes: Routes) -> None:
        """Answer calls by these routes from now on."""
        self._routes = routes  # one reference assignment: no thread can see half of it

    def choose(self, wanted: str = "") -> Loaded:
        """The version that answers the present call. Take it once for a call: the next time it may be another.

        Args:
            wanted: A version ("3"), an alias ("champion"), or "" for the one that is pinned, or else that the policy
                gives, or a canary takes.

        Raises:
            NoModelError: None is loaded yet.
            UnknownVersionError: There is no such version.
            NotReadyError: The version exists, and is not loaded.
        """
        routes = self._routes
        if routes.closed:
            raise NotReadyError(routes.closed)
        if wanted:
            return routes.find(wanted)
        canary = self.wishes.canary
        if (
            canary
            and UNNAMED not in routes.named  # who has pinned a version wants no share to go elsewhere
            and canary.name in routes.named
            and policy.drawn(canary.fraction, canary_key.get(), next(self._turns))
        ):
            return routes.named[canary.name]
        return routes.active()

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

    def active(self) -> Loaded | None:
        """The version that answers the calls that name none, but for the share of a canary.

        Read it once for a request: the next read may give another version.
        """
        return self._routes.unnamed

    def pinned(self) -> str:
        """The version that an operator has pinned, as replies name it; "" if none is.

        It answers all calls that name no version, unless it cannot be served; `active` tells.
        """
        number = self._routes.pinned
        return "" if number is None else label(number)

    def pinnable(self, wanted: str) -> int:
        """The number of a version that may be pinned, by its name or an alias.

        Raises:
            UnknownVersionError: There is no such version.
        """
        return self._routes.pinnable(wanted)

    def named(self, name: str) -> Loaded | None:
        """The version that answers under one of the names in `wishes`."""
        return self._routes.named.get(name)

    def loaded(self) -> list[Loaded]:
        """All versions that answer calls."""
        return list(self._routes.versions.values())

    def published(self) -> list[int]:
        """The versions that the repository holds, ascending, loaded or not."""
        return sorted(self._routes.known)

    def number(self, wanted: str = "") -> int:
        """The number of the version that a name stands for in the repository, loaded or not; "" is the policy.

        Raises:
            UnknownVersionError: There is no such version.
        """
        return self._routes.number(wanted or self.wishes.policy)

    def names(self, loaded: Loaded) -> tuple[str, ...]:
        """The aliases under which calls reach a version; that of the policy may lead to a stand-in."""
        return self._routes.names(loaded)

    def index(self) -> list[VersionStatus]:
        """Every version that is known, the pretrained one first if it serves, then by number."""
        return self._routes.index()
