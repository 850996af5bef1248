"""What an operator decides about versions while the service runs: load, unload. It takes effect in all processes."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from service.errors import LoadRefusedError, NotReadyError, UnknownVersionError
from service.loaded import label
from service.versions.decisions import DecisionFile, Decisions
from service.versions.store import Store

__all__ = [
    "Control",
]

LOAD_SECONDS = 60.0
"""Seconds that a load may take in this process."""

OTHERS_SECONDS = 5.0
"""Seconds to wait for the other processes, once this one has followed."""

_TICK = 0.02
"""Seconds between two looks at whether a decision was followed."""

_log = logging.getLogger(__name__)


class Following(Protocol):
    """Follows decisions in this process."""

    @property
    def followed(self) -> int:
        """Serial of the last decision that was followed."""


class Control:
    """Loads and unloads versions for an operator."""

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

    async def load(self, version: str = "") -> None:
        """Have a version loaded and ready beside what the policy serves, even if it was refused or unloaded before.

        Args:
            version: A version, or an alias, which is resolved now; "" has the model as a whole serve again.

        Raises:
            UnknownVersionError: There is no such version.
            LoadRefusedError: It cannot be served; the message says why.
        """
        if not version:
            await self._decide(partial(_opened, self._asked()))
            if not self._store.ready():
                raise LoadRefusedError(f"no version can be served{self._why(self._asked())}")
            return
        number = self._store.number(version)
        await self._decide(lambda now: now.add("load", number))
        if not self._store.ready(version):
            reason = self._why(number)
            await self._decide(lambda now: now.add("retry", number))  # so that it is not tried again and again
            raise LoadRefusedError(f"version {number} is not loaded{reason}")

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
            number = self._store.number(version)
            await self._decide(lambda now: now.add("unload", number, reason="an operator has unloaded it"))
        else:
            await self._decide(lambda now: now.close(True))

    async def _decide(self, change: Callable[[Decisions], Decisions]) -> None:
        """Write a decision, and wait until it is followed: by this process, and for a while by the others."""
        serial = (await asyncio.to_thread(self._decisions.change, change)).serial
        if not await _until(lambda: self._watcher.followed >= serial, LOAD_SECONDS):
            raise NotReadyError(
                f"the decision was not followed within {LOAD_SECONDS:g} seconds; it will be, once the watcher is free"
            )
        await _until(lambda: not self._decisions.behind(serial), OTHERS_SECONDS)
        if behind := self._decisions.behind(serial):
            _log.warning("processes %s have not followed decision %d yet", ", ".join(map(str, behind)), serial)


def _opened(number: int | None, now: Decisions) -> Decisions:
    """The decisions with the model as a whole serving again, and this version tried again."""
    opened = now.close(False)
    return opened if number is None else opened.add("retry", number)


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_TICK)
    return True
