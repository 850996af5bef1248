"""What the repository holds, for administrators: its versions, what is served and why, and the moves of aliases."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from core.artifact.alias import Move
from core.artifact.repository import Repository
from core.artifact.summary import Summary
from core.errors import ArtifactError
from service.call import expires
from service.errors import RepositoryAwayError, UnknownVersionError
from service.loaded import label
from service.recognition.background import BackgroundQueue
from service.texts import quoted, shortened
from service.versions.described import Described, Kept
from service.versions.routes import Routes, VersionStatus
from service.versions.storage import STORAGE_SECONDS, Storage
from service.versions.store import Store
from service.versions.why import why
from service.wishes import PRETRAINED_NUMBER

__all__ = ["Catalog", "Page", "Row"]

AT_ONCE = 2
"""Lists that are read at once; more wait for their turn."""

SHARE = 0.8
"""The share of the time left to a call that reads may take: then it is answered with what was read."""

MOST_NAMED = 10
"""Aliases that an error names."""

_NOT_NEEDED = "it answers only until a version is published, or while it is pinned"

_SHIPPED = "shipped"
"""Takes the place of a stamp for the pretrained version, which does not change."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One version in the list.

    Attributes:
        status: Its state, and the aliases that name it.
        described: Its description; the reason if it cannot be read.
    """

    status: VersionStatus
    described: Described | str


@dataclass(frozen=True)
class Page:
    """A page of the list, and what is served.

    Attributes:
        rows: The versions, the newest first.
        after: The number to begin the next page below; None at the end.
        serving: The version that answers calls that name none; "" if none does.
        why: Why it is that one, in a sentence.
        policy: The policy of the server.
        by_hand: The versions that an administrator has loaded beside what the settings ask for.
        pinned: The version that an administrator has pinned; "" if none is.
    """

    rows: Sequence[Row]
    after: int | None
    serving: str
    why: str
    policy: str
    by_hand: Sequence[str]
    pinned: str


class Catalog:
    """Lists versions and moves. Belongs to one event loop, in which no read is waited for."""

    def __init__(
        self,
        store: Store,
        repository: Storage,
        pretrained: Storage | None = None,
        *,
        trouble: Callable[[], str] = str,
        seconds: float = STORAGE_SECONDS,
    ) -> None:
        """Read nothing yet.

        Args:
            store: Tells which versions there are, and what serves.
            repository: Where versions are published; with a patience of its own, as for
                `service.versions.documents.Documents`.
            pretrained: The repository whose champion is the pretrained version; None if the server has none.
            trouble: Tells why the repository cannot be reached now; "" if it can.
            seconds: How long the reads of one list may take, at most.
        """
        self._store = store
        self._repository = repository
        self._pretrained = pretrained
        self._trouble = trouble
        self._seconds = seconds
        self._background = BackgroundQueue("lists of versions or moves", threads=AT_ONCE)
        self._kept = Kept()

    @classmethod
    def of(
        cls,
        store: Store,
        repository: Repository,
        pretrained: str | None,
        seconds: float,
        trouble: Callable[[], str] = str,
    ) -> Self:
        """The catalog of a repository, and of the pretrained version.

        Args:
            store: As above.
            repository: Where versions are published.
            pretrained: URL of the repository whose champion is the pretrained version; None if there is none.
            seconds: As above.
            trouble: As above.
        """
        shipped = Storage(Repository(pretrained), seconds=seconds) if pretrained else None
        return cls(store, Storage(repository, seconds=seconds), shipped, trouble=trouble, seconds=seconds)

    def close(self) -> None:
        """Begin no more reads."""
        self._background.close()

    async def versions(self, size: int, below: int | None = None) -> Page:
        """A page of the versions, the newest first, the pretrained one last. Only the manifests of the page are read.

        Args:
            size: The most versions.
            below: Only versions with lower numbers; None for all.

        Raises:
            OverloadedError: Too many lists are waiting to be read.
        """
        routes, wishes = self._store.routes, self._store.wishes
        listed = [number for number in reversed(routes.numbers) if below is None or number < below]
        if self._pretrained and PRETRAINED_NUMBER not in listed[-1:]:
            listed.append(PRETRAINED_NUMBER)
        shown = listed[:size]
        found = await self._descriptions(routes, shown)
        active = None if routes.closed else routes.unnamed
        return Page(
            rows=[Row(_status(routes, number), found[number]) for number in shown],
            after=shown[-1] if len(listed) > size else None,
            serving=active.version if active else "",
            why=why(routes, wishes.canary, self._trouble()),
            policy=routes.policy,
            by_hand=[label(int(name)) for name in routes.named if name.isdecimal() and name not in wishes.names],
            pinned="" if routes.pinned is None else label(routes.pinned),
        )

    async def moves(self, alias: str, size: int, below: int | None = None) -> tuple[list[tuple[int, Move]], int | None]:
        """A page of the moves of an alias, the newest first.

        Args:
            alias: Its name.
            size: The most moves.
            below: Only moves with lower numbers; None for all.

        Returns:
            The moves with their numbers, and the number to begin the next page below; None at the end.

        Raises:
            UnknownVersionError: There is no such alias.
            RepositoryAwayError: They cannot be read now.
            OverloadedError: Too many lists are waiting to be read.
        """
        known = self._store.routes.aliases
        if alias not in known:
            if trouble := self._trouble():
                raise RepositoryAwayError(f"the moves of {quoted(alias)} cannot be read now: {trouble}")
            named = ", ".join(sorted(known)[:MOST_NAMED]) or "none yet"
            raise UnknownVersionError(f"no alias {quoted(alias)} here; known: {named}")
        seconds = self._patience()
        try:
            moves, more = await self._background.run(self._repository.newest_moves, alias, size, below, seconds)
        except ArtifactError as error:
            raise RepositoryAwayError(f"the moves of {alias} cannot be read now: {error}") from error
        return moves, moves[-1][0] if more else None

    async def _descriptions(self, routes: Routes, numbers: Sequence[int]) -> dict[int, Described | str]:
        """The description of each version: what answers is in memory, what was read once is kept, the rest is read."""
        found: dict[int, Described | str] = {}
        missing = []
        for number in numbers:
            if loaded := routes.versions.get(number):
                found[number] = Described.of_manifest(loaded.manifest)
            elif kept := self._kept.get(number, _stamp(routes, number)):
                found[number] = kept
            else:
                missing.append(number)
        if missing:
            read = await self._background.run(self._read, routes, missing, time.monotonic() + self._patience())
            for number, described in read.items():
                if isinstance(described, Described):
                    self._kept.add(number, _stamp(routes, number), described)
            found |= read
        return found

    def _read(self, routes: Routes, numbers: Sequence[int], end: float) -> dict[int, Described | str]:
        """Runs in a thread of the background."""

        def read(number: int) -> Described | str:
            if (seconds := end - time.monotonic()) <= 0:
                return "not read in time; ask again"
            try:
                return Described.of(self._summary(number, _stamp(routes, number), seconds))
            except ArtifactError as error:
                return shortened(str(error))
            except Exception as error:  # noqa: BLE001 — no version, however odd, may hide the others
                _log.warning("version %d cannot be listed", number, exc_info=error)
                return f"it cannot be read: {type(error).__name__}"

        return dict(zip(numbers, self._repository.for_each(numbers, read), strict=True))

    def _summary(self, number: int, stamp: str, seconds: float) -> Summary:
        if number == PRETRAINED_NUMBER and self._pretrained:
            return self._pretrained.summary(self._pretrained.champion(), stamp, seconds)
        return self._repository.summary(number, stamp, seconds)

    def _patience(self) -> float:
        """Seconds that the reads for the present call may take."""
        return max(0.0, min(self._seconds, SHARE * (expires.get() - time.monotonic())))


def _status(routes: Routes, number: int) -> VersionStatus:
    if number == PRETRAINED_NUMBER and number not in routes.numbers[:1]:
        return VersionStatus(label(number), "UNAVAILABLE", _NOT_NEEDED)
    return routes.status(number)


def _stamp(routes: Routes, number: int) -> str:
    return _SHIPPED if number == PRETRAINED_NUMBER else routes.stamps.get(number, "")
