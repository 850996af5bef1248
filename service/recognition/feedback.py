"""Feedback: the true digits that users send are checked, limited, and stored on disk for the next training."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedFeedbackError, FeedbackNotFoundError, NumeralError
from core.feedback import FeedbackFolder, FeedbackItem
from service.bucket import TokenBucket
from service.errors import FeedbackFullError, FeedbackOffError, FeedbackRateError
from service.observer import Observer
from service.recognition.background import BackgroundQueue
from service.settings import ENV_PREFIX, Settings

__all__ = ["Feedback", "Listed"]

BURST_SECONDS = 10.0
"""The bucket holds the items of this many seconds: as many are accepted at once."""

MEASURE_SECONDS = 10.0
"""How often at most the size of the folder is measured: other processes write to it too, and people tidy up."""


@dataclass(frozen=True)
class Listed:
    """One item, as reviewers see it.

    Attributes:
        name: Its name.
        item: Its content; None if the file is damaged.
        trouble: Why nothing can be learned from it; "" if something can.
        accepted: Whether a reviewer has accepted it.
    """

    name: str
    item: FeedbackItem | None
    trouble: str
    accepted: bool = False


class Feedback:
    """Stores feedback, lists, accepts and discards it. The folder is only touched in one background thread."""

    def __init__(
        self,
        settings: Settings,
        decode: Callable[[bytes], Awaitable[NDArray[np.uint8]]],
        observer: Observer | None = None,
    ) -> None:
        """Touch no file yet.

        Args:
            settings: The folder, the rate, and the size limit.
            decode: Finds the digit in an encoded picture, (28, 28); see `Recognition.framed`.
            observer: Notified of the outcome of each item.
        """
        self._observer = observer or Observer()
        self._folder = FeedbackFolder(Path(settings.feedback)) if settings.feedback else None
        self._quota = settings.feedback_bytes
        self._decode = decode
        self._bucket = TokenBucket(settings.feedback_per_second, settings.feedback_per_second * BURST_SECONDS)
        self._background = BackgroundQueue("items of feedback")
        self._size, self._measured = 0, -MEASURE_SECONDS

    async def send(self, picture: bytes | NDArray[np.uint8], digit: int, reply_id: str) -> tuple[str, bool]:
        """Store a picture and its true digit. When this returns, both are on disk.

        Args:
            picture: An encoded picture, or a framed image, (28, 28).
            digit: 0 to 9.
            reply_id: The id of the answer that this is about, or "".

        Returns:
            The name of the item, and whether it is new.

        Raises:
            FeedbackOffError: The service collects no feedback.
            FeedbackRateError: It arrives too fast.
            OverloadedError: Too much is waiting, or the token is over its quota.
            FeedbackFullError: The folder has reached its size limit.
            PictureError: There is no digit in the picture.
            FeedbackError: The folder cannot be written.
        """
        folder = self._on()
        try:
            if seconds := self._bucket.take():
                raise FeedbackRateError(f"too much feedback at once; try again in {seconds:.1f} seconds")
            original, framed = (picture, await self._decode(picture)) if isinstance(picture, bytes) else (None, picture)
            name, added = await self._background.run(self._keep, folder, original, framed, digit, reply_id)
        except NumeralError as error:
            self._observer.feedback(type(error).__name__)
            raise
        self._observer.feedback("stored" if added else "repeated")
        return name, added

    async def page(self, size: int, after: str) -> tuple[list[Listed], str]:
        """A page of the items, in the order of their names.

        Args:
            size: The largest number of items.
            after: The name of the last item of the page before, or "".

        Returns:
            The items, and `after` for the next page; "" at the end.

        Raises:
            FeedbackOffError: The service collects no feedback.
            FeedbackError: The folder cannot be read.
        """
        return await self._background.run(_page, self._on(), size, after)

    async def discard(self, name: str) -> None:
        """Remove an item for good.

        Raises:
            FeedbackOffError: The service collects no feedback.
            FeedbackNotFoundError: There is no such item.
            FeedbackError: The folder cannot be written.
        """
        await self._background.run(self._on().discard, name)

    async def accept(self, name: str) -> None:
        """Mark an item as looked at and right.

        Raises:
            FeedbackOffError: The service collects no feedback.
            FeedbackNotFoundError: There is no such item.
            DamagedFeedbackError: Nothing can be learned from it.
            FeedbackError: The folder cannot be written.
        """
        await self._background.run(self._on().accept, name)

    def close(self) -> None:
        """Accept no more."""
        self._background.close()

    def _on(self) -> FeedbackFolder:
        if self._folder is None:
            raise FeedbackOffError(
                "this service collects no feedback; its operator can name a folder for it with "
                f"{ENV_PREFIX}FEEDBACK or --feedback"
            )
        return self._folder

    def _keep(
        self, folder: FeedbackFolder, original: bytes | None, framed: NDArray[np.uint8], digit: int, reply_id: str
    ) -> tuple[str, bool]:
        """Runs in the background thread."""
        item = FeedbackItem(
            digit=digit,
            pixels=framed.tobytes(),
            original=original,
            received=datetime.now(UTC),
            reply_id=reply_id,
        )
        if monotonic() - self._measured > MEASURE_SECONDS:
            self._size, self._measured = folder.size(), monotonic()
        # An upper bound of its size on disk: base64 turns three bytes into four characters.
        weight = 2048 + len(original or b"") * 4 // 3
        if self._size + weight > self._quota:
            raise FeedbackFullError(
                f"the feedback folder is full ({self._size:,} of {self._quota:,} bytes); the operator of the service "
                f"may raise {ENV_PREFIX}FEEDBACK_BYTES, or discard some of it"
            )
        added = folder.add(item)
        self._size += weight if added else 0
        return item.name, added


def _page(folder: FeedbackFolder, size: int, after: str) -> tuple[list[Listed], str]:
    names = folder.names()
    known = frozenset(names)
    rest = [name for name in names if name > after]
    found = []
    for name in rest[:size]:
        try:
            item = folder.read(name)
        except FeedbackNotFoundError:  # discarded meanwhile
            continue
        except DamagedFeedbackError as error:
            found.append(Listed(name, None, str(error)))
        else:
            trouble = str(folder.trouble(item, known) or "")
            found.append(Listed(name, item, trouble, folder.is_accepted(name)))
    return found, rest[size - 1] if len(rest) > size else ""
