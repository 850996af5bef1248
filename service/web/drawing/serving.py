"""Whether the service answers now, asked no more often than needed however many people wait for it."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from core.errors import NumeralError
from service.client import AsyncRecognizer

__all__ = ["Serving"]

FRESH_SECONDS = 0.5
"""How long an answer is good for while the service answers …"""

FRESH_WHILE_AWAY = 0.2
"""… and while it does not: people wait for its return."""

ASK_SECONDS = 1.0
"""What takes longer counts as no answer."""


class Serving:
    """The state of one service."""

    def __init__(self, client: AsyncRecognizer, sentence: Callable[[NumeralError], str]) -> None:
        """Ask nothing yet.

        Args:
            client: Reaches the service.
            sentence: What a visitor is told about an error.
        """
        self._client, self._sentence = client, sentence
        self._asking = asyncio.Lock()
        self._state: dict[str, Any] = {}
        self._until = 0.0

    async def state(self) -> dict[str, Any]:
        """`serving`, the `version` that serves or None, and as `notice` the sentence that says why none does."""
        async with self._asking:
            if monotonic() >= self._until:
                self._state = await self._ask()
                self._until = monotonic() + (FRESH_SECONDS if self._state["serving"] else FRESH_WHILE_AWAY)
            return self._state

    async def _ask(self) -> dict[str, Any]:
        try:
            model = await self._client.model(timeout=ASK_SECONDS)
        except NumeralError as error:
            return {"serving": False, "version": None, "notice": self._sentence(error)}
        return {"serving": True, "version": model.version, "notice": ""}
