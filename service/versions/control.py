"""What an operator decides about versions while the service runs: load, unload, pin. All processes follow."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, reduce
from typing import Protocol

from service.call import expires
from service.errors import LoadRefusedError, NotReadyError, UnknownVersionError
from service.loaded import label
from service.versions.decisions import DecisionFile, Decisions
from service.versions.store import Store
from service.wire import in_words

__all__ = [
    "Control",
]

LOAD_SECONDS = 60.0
"""Seconds that a load may take in this process."""

OTHERS_SECONDS = 5.0
"""Seconds to wait for the other processes, once this one has followed."""

ANSWER_SECONDS = 0.25
"""Seconds before the deadline of a call at which it is answered at the latest."""

MOST_LOADED = 256
"""Versions that operators may have loaded at once, beside those that the settings name. Memory may allow fewer."""

MOST_NAMED = 3
"""Versions whose reasons an error repeats."""

_TICK = 0.02
"""Seconds between two looks at whether a decision was followed."""

_log = logging.getLogger(__name__)


class Following(Protocol):
    """Follows decisions in this process."""

    @property
    def followed(self) -> int:
        """Serial of the last decision that was followed."""


class Control:
    """Loads, unloads and pins versions for an operator."""

    def __init__(self, store: Store, watcher: Following, decisions: DecisionFile) -> None:
        """Decide nothing yet.

        Args:
            store: What answers calls.
            watcher: Follows decisions in this process.
            decisions: Where decisions are written, for all processes.
        """
        self._store = store
        self._watcher = watcher
        self._decisions = decisions

    async def load(self, *versions: str) -> None:
        """Have versions loaded and ready beside what the policy serves, even if they were refused or unloaded before.

        Args:
            *versions: Versions or aliases, which are resolved now; without any, the model as a whole serves again.

        Raises:
            UnknownVersionError: There is no such version.
            LoadRefusedError: One cannot be served, or they are too many; the message says which and why. The others
                are loaded.
            NotReadyError: They are not loaded yet; they will be.
        """
        if not any(versions):
            await self._decide(partial(_opened, self._asked()))
            if not self._store.ready():
                raise LoadRefusedError(f"no version can be served{self._why(self._asked())}")
            return
        _check_count(len(versions))
        numbers = sorted({self._store.number(version) for version in versions})
        await self._decide(partial(_loaded, numbers))
        if refused := [number for number in numbers if not self._store.ready(label(number))]:
            reasons = [f"version {number} is not loaded{self._why(number)}" for number in refused[:MOST_NAMED]]
            await self._decide(partial(_tried, refused))  # so that they are not tried again and again
            more = [f"and {len(refused) - MOST_NAMED} more"] if len(refused) > MOST_NAMED else []
            raise LoadRefusedError("; ".join([*reasons, *more]))

    def _asked(self) -> int | None:
        """The version that the policy stands for; None if there is none."""
        try:
            return self._store.number()
        except UnknownVersionError:
            return None

    def _why(self, number: int | None) -> str:
        found = (each.reason for each in self._store.index() if number is not None and each.version == label(number))
        return "".join(f": {reason}" for reason in found if reason)

    async def unload(self, version: str = "") -> None:
        """Have a version serve no longer; the policy then falls back to the best earlier one.

        Args:
            version: A version, or an alias, which is resolved now; "" unloads the model as a whole.

        Raises:
            UnknownVersionError: There is no such version.
        """
        if version:
            await self._decide(partial(_unloaded, self._store.number(version)))
        else:
            await self._decide(lambda now: now.close(True))

    async def pin(self, version: str = "") -> str:
        """Have one version answer the calls that name none, whatever the policy says, until the server stops.

        What was decided against the version before is void: it is tried again even if it was refused, unloaded, or if
        the service has fallen back from it.

        Args:
            version: A version, or an alias, which is resolved now; "" returns to the policy.

        Returns:
            The version that answers them now; "" if none does. If another operator has decided since, it may be
            another.

        Raises:
            UnknownVersionError: There is no such version.
            LoadRefusedError: It cannot be served; the message says why. What was decided before still holds.
            NotReadyError: It is not loaded yet; it will be.
        """
        if version:
            await self._pin(self._store.pinnable(version))
        else:
            await self._decide(lambda now: now.pin(None))
        active = self._store.active()
        return active.version if active else ""

    async def _pin(self, number: int) -> None:
        before: list[Decisions] = []
        undone: list[bool] = []

        def pinned(now: Decisions) -> Decisions:
            if now.closed:
                raise LoadRefusedError(
                    "the model is unloaded as a whole; load it again with RepositoryModelLoad, then pin a version"
                )
            before.append(now)
            return now.pin(number)

        def undo(now: Decisions) -> Decisions:
            undone.append(now.pinned == number)
            return now.undo_pin(number, before[0])

        await self._decide(pinned)
        active = self._store.active()
        if active is None or active.number != number:
            reason = self._why(number)
            await self._decide(undo)
            if undone[0]:
                raise LoadRefusedError(f"{in_words(label(number))} cannot be pinned{reason}")

    async def _decide(self, change: Callable[[Decisions], Decisions]) -> None:
        """Write a decision, and wait until it is followed: by this process, and for a while by the others."""
        patience = _patience()
        try:
            async with asyncio.timeout(patience):
                # In a thread: the run folder may be slow, or another process may hold its lock.
                serial = (await asyncio.to_thread(self._decisions.change, change)).serial
                while self._watcher.followed < serial:
                    await asyncio.sleep(_TICK)
        except TimeoutError as error:
            raise NotReadyError(
                f"the decision was not followed within {patience:.3g} seconds; it will be, once the watcher is free: "
                "RepositoryIndex shows when"
            ) from error
        behind: list[int] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(min(OTHERS_SECONDS, _patience())):
                while behind := await asyncio.to_thread(self._decisions.behind, serial):
                    await asyncio.sleep(_TICK)
        if behind:
            _log.warning("processes %s have not followed decision %d yet", ", ".join(map(str, behind)), serial)


def _patience() -> float:
    """Seconds to wait at most: so many that the call can still be answered before its deadline."""
    return max(0.0, min(LOAD_SECONDS, expires.get() - time.monotonic() - ANSWER_SECONDS))


def _check_count(count: int) -> None:
    """Refuse to hold too many versions in memory, by whatever name they were asked for.

    Raises:
        LoadRefusedError: They are too many.
    """
    if count > MOST_LOADED:
        raise LoadRefusedError(
            f"{count:,} versions would be loaded by request, expected at most {MOST_LOADED}; "
            "unload some with RepositoryModelUnload, or ask for fewer"
        )


def _opened(number: int | None, now: Decisions) -> Decisions:
    """The decisions with the model as a whole serving again, and this version tried again."""
    opened = now.close(False)
    return opened if number is None else opened.add("retry", number)


def _loaded(numbers: Sequence[int], now: Decisions) -> Decisions:
    """The decisions with these versions loaded as well: one change, followed as one, however many they are."""
    _check_count(len({*now.loads(), *numbers}))
    return reduce(lambda found, number: found.add("load", number), numbers, now)


def _unloaded(number: int, now: Decisions) -> Decisions:
    """The decisions with this version unloaded, which ends its pin."""
    ended = ", which has ended its pin" if now.pinned == number else ""
    return now.add("unload", number, reason=f"an operator has unloaded it{ended}")


def _tried(numbers: Sequence[int], now: Decisions) -> Decisions:
    """The decisions without the loads of these versions."""
    return reduce(lambda found, number: found.add("retry", number), numbers, now)
