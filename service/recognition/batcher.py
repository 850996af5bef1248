"""Batching: images that arrive together are computed together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from service.call import client, expires
from service.errors import ExpiredError
from service.loaded import Loaded

__all__ = ["Batcher"]

LARGEST = 128
"""Images in one forward pass. A larger batch gains next to nothing, and blocks the event loop for milliseconds."""

GATHERED = 32
"""A batch of this size is computed without waiting for further calls. With 16, 64 concurrent calls are answered 7%
slower; with 64, no faster."""

CONCURRENT_CALLS = 16
"""Once calls have overlapped, concurrency is assumed for this many further calls."""

LOOKOUT_TURNS = 8
"""Turns of the event loop after which every call that gRPC has accepted is known to `expected`. They take 20 µs."""

PATIENCE_SECONDS = 0.01
"""The longest wait for further calls: a client may send the headers of a call, and its message much later."""

_Compute = Callable[[Loaded, NDArray[np.uint8]], Answers]
_Dropped = Callable[[str, int], object]


@dataclass(slots=True)
class _Waiting:
    """The images of one call, waiting to be computed."""

    loaded: Loaded
    images: NDArray[np.uint8]  # (n, 28, 28)
    future: asyncio.Future[Answers]
    expires: float
    client: str


class Batcher:
    """Collects the images of several calls, and computes them in one forward pass.

    The overhead of a forward pass is then paid once, and the weights are read once. A call that arrives alone never
    waits. Under concurrency, a call waits briefly for the calls that are known to be arriving; and whatever one turn of
    the event loop brings is computed together. What does not fit into one batch is computed in turns: a client that had
    images in the batch before comes behind the others, so that nobody waits for all pieces of another's large batch.
    """

    def __init__(self, compute: _Compute, dropped: _Dropped, expected: Callable[[], bool] = lambda: False) -> None:
        """Nothing is waiting yet.

        Args:
            compute: One version and images (N, 28, 28) → their answers.
            dropped: Called with the reason why images were not computed, "cancelled" or "expired", and their number.
            expected: Whether a call is arriving.
        """
        self._compute = compute
        self._dropped = dropped
        self._expected = expected
        self._waiting: list[_Waiting] = []
        self._images = 0  # in self._waiting
        self._served: set[str] = set()  # the clients of the last batch, if it left anything behind
        self._next: asyncio.Handle | None = None  # will compute a batch, or look for arriving calls again
        self._limit: asyncio.Handle | None = None  # will compute a batch at the latest
        self._turns = 0  # of the event loop, since the last call arrived
        self._concurrent = 0  # further calls for which concurrency is assumed

    def concurrent(self) -> bool:
        """Whether calls overlap, so that it pays to wait for the next ones. To be called once for each call."""
        if self._waiting or self._expected():
            self._concurrent = CONCURRENT_CALLS
        elif self._concurrent:
            self._concurrent -= 1
        return self._concurrent > 0

    async def answers(self, loaded: Loaded, images: NDArray[np.uint8]) -> Answers:
        """The answers of one version to images, computed together with everything in this turn of the event loop.

        Args:
            loaded: The version.
            images: (N, 28, 28), at least one.

        Returns:
            The answers to the N images, not to be changed.

        Raises:
            ExpiredError: The deadline has passed meanwhile, and nothing was computed.
        """
        pieces = [images[start : start + LARGEST] for start in range(0, len(images), LARGEST)]
        futures = [self._enqueue(loaded, piece) for piece in pieces]
        self._schedule()
        return await futures[0] if len(futures) == 1 else Answers.joined(await asyncio.gather(*futures))

    async def gathered(self, loaded: Loaded, images: NDArray[np.uint8]) -> Answers:
        """The same for at most `LARGEST` images, computed together with those of the calls that are arriving."""
        future = self._enqueue(loaded, images)
        self._turns = 0
        if self._images >= GATHERED:
            self._turn()
        elif self._next is None:
            if self._limit is None:
                self._limit = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._turn)
            self._look_out()
        return await future

    def _look_out(self) -> None:
        """Compute what is waiting once no further call is arriving."""
        self._next = None
        if self._expected():
            return  # that call will enter `gathered`, which continues from here
        self._turns += 1
        if self._turns > LOOKOUT_TURNS:
            self._turn()
        else:
            self._next = asyncio.get_running_loop().call_soon(self._look_out)

    def _enqueue(self, loaded: Loaded, images: NDArray[np.uint8]) -> asyncio.Future[Answers]:
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(loaded, images, future, expires.get(), client.get()))
        self._images += len(images)
        return future

    def _schedule(self) -> None:
        """Compute what is waiting in the next turn of the event loop, after all that is to run in this one."""
        if self._next:
            self._next.cancel()
        self._next = asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Compute one batch: the first images that are waiting, and all that fit in with them."""
        now = monotonic()
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        size = 0
        if self._served and self._images > LARGEST:
            self._waiting.sort(key=lambda item: item.client in self._served)
        for item in self._waiting:
            if item.future.done():
                self._dropped("cancelled", len(item.images))
            elif item.expires < now:
                self._dropped("expired", len(item.images))
                item.future.set_exception(ExpiredError())
            elif batch and (item.loaded is not batch[0].loaded or size + len(item.images) > LARGEST):
                left.append(item)
            else:
                batch.append(item)
                size += len(item.images)
        for handle in filter(None, (self._next, self._limit)):
            handle.cancel()
        self._next = self._limit = None
        self._waiting = left
        self._served = {item.client for item in batch} if left else set()
        self._images = sum(len(item.images) for item in left)
        if left:
            self._schedule()  # in a turn of its own, so that the loop notices new and cancelled calls in between
        if batch:
            self._answer(batch)

    def _answer(self, batch: list[_Waiting]) -> None:
        try:
            images = batch[0].images if len(batch) == 1 else np.concatenate([item.images for item in batch])
            answers = self._compute(batch[0].loaded, images)
        except Exception as error:  # noqa: BLE001 — each caller handles it
            for item in batch:
                item.future.set_exception(error)
            return
        start = 0
        for item in batch:
            end = start + len(item.images)
            item.future.set_result(answers[start:end])
            start = end
