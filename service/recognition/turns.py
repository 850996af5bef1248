"""What takes a thread for milliseconds: it waits for its turn, and is not done if its call ends before."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.imaging import PictureLimits, effort
from service.errors import ExpiredError, OverloadedError
from service.observer import Observer
from service.recognition.admission import Admission
from service.recognition.workers import Workers

__all__ = ["Turns"]

S = TypeVar("S")
T = TypeVar("T")


class Turns:
    """Hands tasks to the workers, with what they are expected to take."""

    def __init__(self, limits: PictureLimits, workers: Workers, admission: Admission, observer: Observer) -> None:
        """Hand over nothing yet.

        Args:
            limits: How large a picture may be.
            workers: The threads.
            admission: Limits how much may wait.
            observer: Notified of pictures that are dropped.
        """
        self._limits = limits
        self._workers = workers
        self._admission = admission
        self._observer = observer

    def expected(self, files: Sequence[bytes]) -> list[float]:
        """The seconds that it takes to decode and to frame each of several encoded pictures, about."""
        return [effort(file, self._limits) for file in files]

    async def one(self, task: Callable[[], T], picture: bytes | NDArray[np.uint8], more: float = 0.0) -> T:
        """The result of a task for one picture, once it is admitted.

        Args:
            task: May be called from any thread.
            picture: The picture: a file, or an image.
            more: The seconds that it is expected to take beyond decoding the picture.

        Raises:
            OverloadedError: Too much is waiting already, or the token of the call is over its quota.
            ExpiredError: The deadline of the call has passed before its turn.
        """
        seconds, size = (
            (effort(picture, self._limits), len(picture)) if isinstance(picture, bytes) else (0.0, picture.nbytes)
        )
        with self._admission(1, size, [seconds + more]):
            [found] = await self.each(lambda _: task(), [picture], [seconds + more], 1)
        return found

    async def each(
        self, task: Callable[[S], T], sources: Sequence[S], expected: Sequence[float], pictures: int
    ) -> list[T]:
        """The results of a task for each of several sources, which are admitted already.

        Args:
            task: May be called from any thread.
            sources: What it is called with.
            expected: The seconds that each of them is expected to take.
            pictures: How many pictures are dropped if the call ends before that.

        Raises:
            ExpiredError: The deadline of the call has passed before their turn.
            OverloadedError: They have waited for too long.
        """
        try:
            return await self._workers.run(task, sources, expected)
        except OverloadedError:
            self._observer.refused("queue")
            raise
        except (ExpiredError, asyncio.CancelledError) as end:
            self._observer.dropped("expired" if isinstance(end, ExpiredError) else "cancelled", pictures)
            raise
