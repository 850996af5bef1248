"""What an operator decides about versions while the service runs: load, unload. Effective in all worker processes."""

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
"""How long a load may take in this process."""

OTHERS_SECONDS = 5.0
"""How long the other processes are waited for, once this one has followed."""

_TICK = 0.02

_log = logging.getLogger(__name__)


class Following(Protocol):
    """Follows decisions in this process."""

    @property
    def followed(self) -> int:
        """Serial of the last decision that was followed."""


class Control:
    """Repository control by an operator."""

    def __init__(self, store: Store, watcher: Following, decisions: DecisionFile) -> None:
        """Control.

        Args:
            store: What answers calls.
            watcher: Follows decisions, in this process.
            decisions: Where they are written, for all processes.
        """
        self._store = store
        self._watcher = watcher
        self._decisions = decisions

    async def load(self, version: str = "") -> None:
        """Have a version loaded and ready, beside what the policy serves, even if it was refused or unloaded before.

        Args:
            version: A version or an alias, as it stands now; "" lets the model as a whole serve, as the policy says.

        Raises:
            UnknownVersionError: There is no such version.
            LoadRefusedError: It cannot be served; the sentence says why.
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
            await self._decide(lambda now: now.add("retry", number))  # nothing goes on trying what was refused
            raise LoadRefusedError(f"version {number} is not loaded{reason}")

    def _asked(self) -> int | None:
        """What the policy asks for; None where nothing is there that it could."""
        try:
            return self._store.number()
        except UnknownVersionError:
            return None

    def _why(self, number: int | None) -> str:
        found = (each.reason for each in self._store.index() if number is not None and each.version == label(number))
        return "".join(f": {reason}" for reason in found if reason)

    async def unload(self, version: str = "") -> None:
        """Have a version serve no more; the policy then goes back to the best earlier one.

        Args:
            version: A version or an alias, as it stands now; "" unloads the model as a whole.

        Raises:
            UnknownVersionError: There is no such version.
        """
        if version:
            number = self._store.number(version)
            await self._decide(lambda now: now.add("unload", number, reason="an operator has unloaded it"))
        else:
            await self._decide(lambda now: now.close(True))

    async def _decide(self, change: Callable[[Decisions], Decisions]) -> None:
        """Write a decision, and wait until it is followed: here surely, elsewhere as long as is reasonable."""
        serial = (await asyncio.to_thread(self._decisions.change, change)).serial
        if not await _until(lambda: self._watcher.followed >= serial, LOAD_SECONDS):
            raise NotReadyError(f"the watcher is still busy after {LOAD_SECONDS:g} seconds; it will follow later")
        await _until(lambda: not self._decisions.behind(serial), OTHERS_SECONDS)
        if behind := self._decisions.behind(serial):
            _log.warning("processes %s have not followed decision %d yet", ", ".join(map(str, behind)), serial)


def _opened(number: int | None, now: Decisions) -> Decisions:
    """With the model as a whole serving again, and what the policy asks for tried again."""
    opened = now.close(False)
    return opened if number is None else opened.add("retry", number)


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_TICK)
    return True
