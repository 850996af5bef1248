"""Recognition of pictures, on which every protocol of the service is built. Knows no transport."""

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.digit import BLANK, PIXELS
from core.errors import PictureError
from core.imaging import PictureLimits, digit_from_bytes
from service.call import check_deadline, expires
from service.errors import ExpiredError
from service.loaded import Loaded
from service.observer import Observer
from service.recognition.admission import Admission
from service.recognition.arrivals import Arrivals
from service.recognition.batcher import LARGEST, Batcher
from service.versions.store import Store
from service.wire import Reading

__all__ = ["Answer", "Recognition", "reading"]


class Answer(NamedTuple):
    """The output of one version for some images.

    Attributes:
        loaded: The version that computed this answer.
        probabilities: (N, 10) float32; each row sums to 1.
    """

    loaded: Loaded
    probabilities: NDArray[np.float32]


class Recognition:
    """Recognizes pictures with the version that a call asks for, or else with the one that the policy chooses."""

    def __init__(
        self,
        store: Store,
        limits: PictureLimits,
        pool: Executor | None,
        observer: Observer,
        admission: Admission | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        """Compute nothing yet.

        Args:
            store: The versions in memory.
            limits: How large a picture may be.
            pool: The threads that decode pictures; None for the default threads of the event loop.
            observer: Notified of what is computed, rejected and dropped.
            admission: Limits how much may wait; None for no limit.
            arrivals: The calls that are arriving; None if that is not known.
        """
        self.store = store
        self._limits = limits
        self._pool = pool
        self._observer = observer
        self._admission = admission or Admission(sys.maxsize, sys.maxsize)
        self._batcher = Batcher(self._probabilities, observer.dropped, (arrivals or Arrivals()).expected)

    async def images(self, images: NDArray[np.uint8], *, wanted: str = "") -> Answer:
        """Recognize framed images.

        Args:
            images: (N, 28, 28), 0 background to 255 ink.
            wanted: A version ("3"), an alias ("champion"), or "" for the choice of the policy.

        Raises:
            NoModelError: No version is loaded yet.
            UnknownVersionError: The version does not exist.
            NotReadyError: The version exists, but is not loaded.
            OverloadedError: Too much is waiting already.
            ExpiredError: The deadline of the call has passed; nothing was computed.
        """
        loaded = self.store.choose(wanted)
        with self._admission(len(images), images.nbytes):
            return Answer(loaded, await self._batcher.probabilities(loaded, images))

    async def call(self, images: NDArray[np.uint8], *, wanted: str = "") -> Answer:
        """The same for the images of a unary call: at once if it comes alone, else in one batch with concurrent calls.

        grpcio's asyncio server accepts one call per turn of the event loop, so the calls of one turn alone would never
        make a batch.
        """
        if len(images) > LARGEST:
            return await self.images(images, wanted=wanted)
        loaded = self.store.choose(wanted)
        if self._batcher.concurrent():
            with self._admission(len(images), images.nbytes):
                return Answer(loaded, await self._batcher.gathered(loaded, images))
        self._admission.check(len(images), images.nbytes)
        return self.compute(loaded, images)

    async def encoded(
        self, pictures: Sequence[bytes | NDArray[np.uint8]], *, wanted: str = ""
    ) -> tuple[Answer, list[PictureError | None]]:
        """Recognize PNG, JPEG, … files. Decoding takes milliseconds, and happens in threads.

        Args:
            pictures: The files; framed images, (28, 28), may be among them.
            wanted: As for `images`.

        Returns:
            The answer, with a row for each picture; and for each picture None, or why no digit could be read in it. The
            row of such a picture is that of an empty image, and means nothing.
        """
        loaded = self.store.choose(wanted)
        loop, start, expiry = asyncio.get_running_loop(), perf_counter(), expires.get()

        def decode_in_time(picture: bytes) -> NDArray[np.uint8] | PictureError:
            check_deadline(expiry)
            return self.decode(picture)

        files = [picture for picture in pictures if isinstance(picture, bytes)]
        with self._admission(len(pictures), sum(map(len, files)) + PIXELS * (len(pictures) - len(files))):
            decoding = [loop.run_in_executor(self._pool, decode_in_time, file) for file in files]
            try:
                decoded = iter(await asyncio.gather(*decoding))
            except (ExpiredError, asyncio.CancelledError) as end:
                for future in decoding:  # gather cancels them only if it is cancelled itself
                    future.cancel()
                reason = "expired" if isinstance(end, ExpiredError) else "cancelled"
                self._observer.dropped(reason, len(pictures))
                raise
            self._observer.decoded(len(files), perf_counter() - start)
            found = [next(decoded) if isinstance(picture, bytes) else picture for picture in pictures]
            errors = [item if isinstance(item, PictureError) else None for item in found]
            for error in filter(None, errors):
                self._observer.rejected(loaded, type(error).__name__)
            images = np.stack([BLANK if isinstance(item, PictureError) else item for item in found])
            return Answer(loaded, await self._batcher.probabilities(loaded, images)), errors

    def decode(self, picture: bytes) -> NDArray[np.uint8] | PictureError:
        """The digit in an encoded picture, framed, (28, 28); or why there is none. May be called from any thread."""
        try:
            return digit_from_bytes(picture, limits=self._limits)
        except PictureError as error:
            return error

    def compute(self, loaded: Loaded, images: NDArray[np.uint8]) -> Answer:
        """The output of one version, computed at once in the calling thread."""
        return Answer(loaded, self._probabilities(loaded, images))

    def _probabilities(self, loaded: Loaded, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        start = perf_counter()
        try:
            probabilities = loaded.predictor.probabilities(images)
        except Exception:
            self._observer.failed(loaded, len(images))
            raise
        self._observer.computed(loaded, images, probabilities, perf_counter() - start)
        return probabilities


def reading(answer: Answer, row: int = 0) -> Reading:
    """One row of an answer, in the form that clients see."""
    probabilities = answer.probabilities[row]  # (10,)
    digit = int(probabilities.argmax())
    return Reading(
        digit=digit,
        confidence=float(probabilities[digit]),
        probabilities=tuple(probabilities.tolist()),
        model_version=answer.loaded.version,
        weights_sha256=answer.loaded.weights_sha256,
    )
