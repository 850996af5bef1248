"""Recognition of pictures, on which every protocol of the service is built. Knows no transport."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.digit import PIXELS, SIDE
from core.errors import NumeralError, PictureError
from core.imaging import LATEST, PictureLimits, decode, digit_from_bytes
from core.inference.answers import Answers
from service.errors import without_traces
from service.loaded import Loaded
from service.observer import Observer
from service.recognition.admission import Admission
from service.recognition.answer import Answer
from service.recognition.arrivals import Arrivals
from service.recognition.batcher import LARGEST, Batcher
from service.recognition.many import Many, many_in
from service.recognition.turns import Turns
from service.recognition.workers import Workers
from service.versions.store import Store

__all__ = ["Recognition"]

MANY_SECONDS = 0.1
"""How long it takes to find and to read many digits in a picture once it is decoded, about."""

T = TypeVar("T")


class Recognition:
    """Recognizes pictures with the version that a call asks for, or else with the one that the policy chooses."""

    def __init__(
        self,
        store: Store,
        limits: PictureLimits,
        workers: Workers,
        observer: Observer,
        admission: Admission | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        """Compute nothing yet.

        Args:
            store: The versions in memory.
            limits: How large a picture may be.
            workers: The threads that decode pictures.
            observer: Notified of what is computed, rejected and dropped.
            admission: Limits how much may wait; None for no limit.
            arrivals: The calls that are arriving; None if that is not known.
        """
        self.store = store
        self._limits = limits
        self._observer = observer
        self._admission = admission or Admission()
        self._turns = Turns(limits, workers, self._admission, observer)
        self._batcher = Batcher(self._answers, observer.dropped, (arrivals or Arrivals()).expected)

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
            return Answer(loaded, await self._batcher.answers(loaded, images))

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
        self, pictures: Sequence[bytes | NDArray[np.uint8] | PictureError], *, wanted: str = ""
    ) -> tuple[Answer, list[NDArray[np.uint8] | PictureError]]:
        """Recognize PNG, JPEG, … files. Decoding takes milliseconds, and happens in threads.

        Args:
            pictures: The files; among them may be framed images, (28, 28), and errors of pictures found before.
            wanted: As for `images`.

        Returns:
            The answer, with a row for each picture; and for each picture the image as the network sees it, (28, 28), or
            why no digit could be read in it. The row of such a picture means nothing: it is not computed.
        """
        loaded = self.store.choose(wanted)
        files = [picture for picture in pictures if isinstance(picture, bytes)]
        expected = self._turns.expected(files)
        with self._admission(len(pictures), sum(map(len, files)) + PIXELS * (len(pictures) - len(files)), expected):
            start = perf_counter()
            framed = await self._turns.each(lambda file: self._framed(file, loaded), files, expected, len(pictures))
            self._observer.decoded(len(files), perf_counter() - start)
            for error in framed:
                if isinstance(error, PictureError):
                    self._observer.rejected(loaded, type(error).__name__)
            decoded = iter(framed)
            found = [next(decoded) if isinstance(picture, bytes) else picture for picture in pictures]
            images = [item for item in found if not isinstance(item, PictureError)]
            if len(images) == len(found):
                return Answer(loaded, await self._batcher.answers(loaded, np.stack(images))), found
            sound = np.array([not isinstance(item, PictureError) for item in found])
            rows = (
                await self._batcher.answers(loaded, np.stack(images))
                if images
                else loaded.predictor.answers(np.empty((0, SIDE, SIDE), np.uint8))
            )
            return Answer(loaded, rows.among(sound)), found

    async def many(self, picture: bytes | NDArray[np.uint8], *, wanted: str = "") -> Many:
        """Recognize all the digits in one picture, in a thread.

        Args:
            picture: A file; or a gray picture, (28, 28).
            wanted: As for `images`.

        Raises:
            PictureError: The picture cannot be read, or no digit is found in it.
            CallError: As for `images`.
        """
        loaded = self.store.choose(wanted)
        start = perf_counter()
        try:
            found = await self._turns.one(lambda: self.find_many(picture, loaded), picture, MANY_SECONDS)
        except NumeralError:
            raise
        except Exception:
            self._observer.failed(loaded, 1)
            raise
        if isinstance(found, PictureError):
            self._observer.rejected(loaded, type(found).__name__)
            raise found
        self._observer.found(loaded, found.images, found.answer.rows, perf_counter() - start)
        return found

    async def alone(
        self,
        picture: bytes | NDArray[np.uint8],
        work: Callable[[Loaded, NDArray[np.uint8]], T],
        seconds: float,
        *,
        wanted: str = "",
    ) -> tuple[Loaded, NDArray[np.uint8], T]:
        """Look at one picture alone, in a thread.

        Args:
            picture: A file; or a framed image, (28, 28).
            work: Takes the version and the image; may be called from any thread.
            seconds: The time that it is expected to take.
            wanted: As for `images`.

        Returns:
            The version, the image as the network sees it, (28, 28), and what the work gives.

        Raises:
            PictureError: There is no digit in the picture.
            CallError: As for `images`.
        """
        loaded = self.store.choose(wanted)

        def task() -> tuple[NDArray[np.uint8], T] | PictureError:
            image = self.decode(picture, loaded) if isinstance(picture, bytes) else picture
            return image if isinstance(image, PictureError) else (image, work(loaded, image))

        found = await self._turns.one(task, picture, seconds)
        if isinstance(found, PictureError):
            raise found
        return loaded, *found

    async def framed(self, picture: bytes) -> NDArray[np.uint8]:
        """The digit in an encoded picture, (28, 28), framed for the version that the policy serves; in a thread.

        Raises:
            PictureError: There is none.
            CallError: As for `images`, but no version need be loaded.
        """
        found = await self._turns.one(lambda: self.decode(picture), picture)
        if isinstance(found, PictureError):
            raise found
        return found

    def decode(self, data: bytes, loaded: Loaded | None = None) -> NDArray[np.uint8] | PictureError:
        """The digit in an encoded picture, framed, (28, 28); or why there is none. May be called from any thread.

        Args:
            data: The encoded picture.
            loaded: The version to frame it for; by default the one that the policy serves, if there is one yet.
        """
        version = loaded or self.store.active()
        try:
            return digit_from_bytes(data, limits=self._limits, framing=version.framing if version else LATEST)
        except PictureError as error:
            return without_traces(error)

    def _framed(self, data: bytes, loaded: Loaded) -> NDArray[np.uint8] | PictureError:
        """The same for a picture that is to be answered."""
        try:
            picture = decode(data, limits=self._limits)
        except PictureError as error:
            return without_traces(error)
        image = loaded.framed(picture)
        self._observer.framed(loaded, picture, image)
        return image

    def find_many(self, picture: bytes | NDArray[np.uint8], loaded: Loaded) -> Many | PictureError:
        """The digits in one picture, read by one version; or why there are none. May be called from any thread."""
        try:
            return many_in(picture, loaded, self._limits)
        except PictureError as error:
            return without_traces(error)

    def compute(self, loaded: Loaded, images: NDArray[np.uint8]) -> Answer:
        """The output of one version, computed at once in the calling thread."""
        return Answer(loaded, self._answers(loaded, images))

    def _answers(self, loaded: Loaded, images: NDArray[np.uint8]) -> Answers:
        start = perf_counter()
        try:
            answers = loaded.predictor.answers(images)
        except Exception:
            self._observer.failed(loaded, len(images))
            raise
        self._observer.computed(loaded, images, answers, perf_counter() - start)
        return answers
