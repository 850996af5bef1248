"""What arrives together is computed together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from service.admission import ExpiredError, expires
from service.store import Loaded

__all__ = ["Batcher"]

LARGEST = 128
"""Images in one forward pass. More would gain next to nothing, and hold up the event loop for milliseconds."""

_Compute = Callable[[Loaded, NDArray[np.uint8]], NDArray[np.float32]]
_Dropped = Callable[[str, int], object]


@dataclass(slots=True)
class _Waiting:
    """Images of one call."""

    loaded: Loaded
    images: NDArray[np.uint8]  # (n, 28, 28)
    future: asyncio.Future[NDArray[np.float32]]
    expires: float


class Batcher:
    """Collects the images of all calls that one turn of the event loop brings, and computes them in one forward pass.

    It waits for nobody: a call that comes alone is computed alone, in the same turn. But where many calls come, a turn
    brings several of them, and what a forward pass costs beyond its arithmetic is paid once.
    """

    def __init__(self, compute: _Compute, dropped: _Dropped) -> None:
        """Collect.

        Args:
            compute: One version and images (N, 28, 28) → probabilities (N, K).
            dropped: Told why images were not computed, "cancelled" or "expired", and how many.
        """
        self._compute = compute
        self._dropped = dropped
        self._waiting: list[_Waiting] = []

    async def probabilities(self, loaded: Loaded, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What one version makes of some images.

        Args:
            loaded: The version.
            images: (N, 28, 28).

        Returns:
            (N, K), not to be changed.

        Raises:
            ExpiredError: The deadline has passed meanwhile, and nothing was computed.
        """
        if len(images) <= LARGEST:
            return await self._enqueue(loaded, images)
        pieces = (images[start : start + LARGEST] for start in range(0, len(images), LARGEST))
        return np.concatenate(await asyncio.gather(*(self._enqueue(loaded, piece) for piece in pieces)))

    def _enqueue(self, loaded: Loaded, images: NDArray[np.uint8]) -> asyncio.Future[NDArray[np.float32]]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._turn)  # runs after all that is to run in this turn, so after all who come with us
        future: asyncio.Future[NDArray[np.float32]] = loop.create_future()
        self._waiting.append(_Waiting(loaded, images, future, expires.get()))
        return future

    def _turn(self) -> None:
        """Compute one batch: the first that waits, and all that fits in with it."""
        now = monotonic()
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        size = 0
        for item in self._waiting:
            if item.future.done():
                self._dropped("cancelled", len(item.images))
            elif item.expires < now:
                self._dropped("expired", len(item.images))
                item.future.set_exception(ExpiredError("the deadline of the call has passed before it was its turn"))
            elif batch and (item.loaded is not batch[0].loaded or size + len(item.images) > LARGEST):
                left.append(item)
            else:
                batch.append(item)
                size += len(item.images)
        self._waiting = left
        if left:
            # In a turn of their own: meanwhile the loop sees who has come, and who has gone.
            asyncio.get_running_loop().call_soon(self._turn)
        if batch:
            self._answer(batch)

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            images = batch[0].images if len(batch) == 1 else np.concatenate([item.images for item in batch])
            probabilities = self._compute(batch[0].loaded, images)
        except Exception as error:  # noqa: BLE001 — it is each caller's to handle
            for item in batch:
                item.future.set_exception(error)
            return
        start = 0
        for item in batch:
            end = start + len(item.images)
            item.future.set_result(probabilities[start:end])
            start = end
