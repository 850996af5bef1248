"""Feedback: what users say of their pictures is checked, bounded, and put on disk for the next training."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedFeedbackError, FeedbackNotFoundError, NumeralError, PictureError
from core.feedback import FeedbackFolder, FeedbackItem
from service.errors import FeedbackFullError, FeedbackOffError, FeedbackRateError
from service.observer import Observer
from service.recognition.aside import Aside
from service.recognition.recognize import Recognition
from service.settings import ENV_PREFIX, Settings

__all__ = ["Feedback", "Listed", "TokenBucket"]

BURST_SECONDS = 10.0
"""How many seconds' worth of feedback may come at once."""

MEASURED_FOR = 10.0
"""Seconds after which the folder's size is measured anew: other processes write there too, and people tidy up."""


@dataclass(frozen=True)
class Listed:
    """One item, for whoever reviews.

    Attributes:
        name: Its name.
        item: What it says; None where the file is damaged.
        trouble: Why nothing can be learned from it; "" where something can.
    """

    name: str
    item: FeedbackItem | None
    trouble: str


class TokenBucket:
    """So many things a second on average, and a number of them at once."""

    def __init__(self, rate: float, capacity: float) -> None:
        """Start full.

        Args:
            rate: Tokens that are added a second.
            capacity: How many there can be.
        """
        self._rate, self._capacity = rate, max(1.0, capacity)
        self._tokens, self._then = self._capacity, monotonic()

    def take(self) -> float:
        """Take a token.

        Returns:
            0 if there was one; else the seconds until there will be one.
        """
        now = monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class Feedback:
    """Takes feedback, lists it, and discards it. One thread does all of it, off the serving path."""

    def __init__(self, settings: Settings, recognition: Recognition, observer: Observer | None = None) -> None:
        """Touch nothing yet.

        Args:
            settings: The folder, how much may come, and how much it may hold.
            recognition: Finds the digit in an encoded picture.
            observer: Is told what becomes of feedback.
        """
        self._observer = observer or Observer()
        self._folder = FeedbackFolder(Path(settings.feedback)) if settings.feedback else None
        self._quota = settings.feedback_bytes
        self._recognition = recognition
        self._bucket = TokenBucket(settings.feedback_per_second, settings.feedback_per_second * BURST_SECONDS)
        self._aside = Aside("items of feedback")
        self._size, self._measured = 0, -MEASURED_FOR

    async def send(self, picture: bytes | NDArray[np.uint8], digit: int, reply_id: str) -> tuple[str, bool]:
        """Keep a picture and the digit that it shows. When this returns, it is on disk.

        Args:
            picture: Encoded, or framed already, (28, 28).
            digit: 0 to 9.
            reply_id: The answer that it is about, or "".

        Returns:
            The item's name, and whether it is new.

        Raises:
            FeedbackOffError: No feedback is taken.
            FeedbackRateError: Too much of it comes.
            OverloadedError: Too much of it waits.
            FeedbackFullError: The folder holds all that it may.
            PictureError: There is no digit in the picture.
            FeedbackError: The folder cannot be written.
        """
        folder = self._on()
        try:
            if seconds := self._bucket.take():
                raise FeedbackRateError(f"too much feedback at once; try again in {seconds:.1f} seconds")
            name, added = await self._aside.run(self._keep, folder, picture, digit, reply_id)
        except NumeralError as error:
            self._observer.feedback(type(error).__name__)
            raise
        self._observer.feedback("stored" if added else "repeated")
        return name, added

    async def page(self, size: int, after: str) -> tuple[list[Listed], str]:
        """Some of the items, in the order of their names.

        Args:
            size: How many at most.
            after: The name of the last one before them, or "".

        Returns:
            The items, and what `after` is for the next ones; "" if there are none.

        Raises:
            FeedbackOffError: No feedback is taken.
            FeedbackError: The folder cannot be read.
        """
        return await self._aside.run(_page, self._on(), size, after)

    async def discard(self, name: str) -> None:
        """Take an item out, for good.

        Raises:
            FeedbackOffError: No feedback is taken.
            FeedbackNotFoundError: There is no such item.
            FeedbackError: The folder cannot be written.
        """
        await self._aside.run(self._on().discard, name)

    def close(self) -> None:
        """Take no more."""
        self._aside.close()

    def _on(self) -> FeedbackFolder:
        if self._folder is None:
            raise FeedbackOffError(
                "this service collects no feedback; whoever runs it names a folder with "
                f"{ENV_PREFIX}FEEDBACK or --feedback"
            )
        return self._folder

    def _keep(
        self, folder: FeedbackFolder, picture: bytes | NDArray[np.uint8], digit: int, reply_id: str
    ) -> tuple[str, bool]:
        """In the thread."""
        original = picture if isinstance(picture, bytes) else None
        framed = self._recognition.decode(picture) if isinstance(picture, bytes) else picture
        if isinstance(framed, PictureError):
            raise framed
        item = FeedbackItem(
            digit=digit,
            pixels=framed.tobytes(),
            original=original,
            received=datetime.now(UTC),
            reply_id=reply_id,
        )
        if monotonic() - self._measured > MEASURED_FOR:
            self._size, self._measured = folder.size(), monotonic()
        # What it will take on disk: base64 makes four characters of three bytes.
        weight = 2048 + len(original or b"") * 4 // 3
        if self._size + weight > self._quota:
            raise FeedbackFullError(
                f"the feedback folder is full ({self._size:,} of {self._quota:,} bytes); whoever runs the service may "
                f"raise {ENV_PREFIX}FEEDBACK_BYTES, or discard some of it"
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
            found.append(Listed(name, item, str(folder.contradiction(item, known) or "")))
    return found, rest[size - 1] if len(rest) > size else ""
