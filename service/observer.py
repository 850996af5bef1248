"""The events of the service: metrics, statistics, traces, shadow and fallback are observers of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from service.call import Call

if TYPE_CHECKING:
    from datetime import datetime

    from PIL.Image import Image

    from core.errors import PictureError
    from service.loaded import Loaded

__all__ = ["Observer", "Observers"]


class Observer:
    """Receives events from the service; every method is a no-op by default.

    Events arrive on the event loop unless a method says that they come from any thread. An observer must be quick and
    must not raise: that would delay or break an answer.
    """

    def computed(self, loaded: "Loaded", images: NDArray[np.uint8], answers: Answers, seconds: float) -> None:
        """A version has computed a batch.

        Args:
            loaded: The version.
            images: (N, 28, 28), as the network saw them. Not to be changed, and not to be kept without a copy.
            answers: The answers to them, likewise. Those that it refuses to take for digits are among them.
            seconds: The duration of the forward pass.
        """

    def found(self, loaded: "Loaded", images: NDArray[np.uint8], answers: Answers, seconds: float) -> None:
        """A version has found and read all the digits in one picture.

        Args:
            loaded: The version.
            images: (N, 28, 28), the digits as the network saw them. Not to be changed or kept, as above.
            answers: The answers to them, likewise.
            seconds: From the picture's arrival, including decoding and the wait for a free thread.
        """

    def framed(self, loaded: "Loaded", picture: "Image", image: "NDArray[np.uint8] | PictureError") -> None:
        """An encoded picture was decoded, and framed for the version that is to answer. From any thread.

        Args:
            loaded: The version.
            picture: The upright picture. Not to be changed.
            image: The digit in it, (28, 28), as the network will see it; or why there is none.
        """

    def rejected(self, loaded: "Loaded", reason: str) -> None:
        """No digit could be found in a picture, so that no version has computed it.

        Args:
            loaded: The version that would have answered.
            reason: The class of the error, e.g. `NoDigitError`.
        """

    def failed(self, loaded: "Loaded", images: int) -> None:
        """A version failed to compute a batch, for an unforeseen reason.

        Args:
            loaded: The version.
            images: The number of images in the batch.
        """

    def dropped(self, reason: str, pictures: int) -> None:
        """Pictures were not computed, because their caller no longer waited for the answer.

        Args:
            reason: `expired` or `cancelled`.
            pictures: Their number.
        """

    def refused(self, reason: str, role: str = "") -> None:
        """A call, or one request of a stream, was refused because of the load.

        Args:
            reason: `queue`: too much is waiting; `share`: too much of the same client is; `deadline`: it could not be
                done in time; `quota`: its token sends too much; `incomplete`: too much had arrived of messages that
                were not complete.
            role: The role of the token that is over its quota; "" for the other reasons.
        """

    def answered(self, call: Call) -> None:
        """A call has ended, successfully or not."""

    def decoded(self, pictures: int, seconds: float) -> None:
        """The encoded pictures of one call were decoded, or found to hold no digit.

        Args:
            pictures: Their number.
            seconds: From the first to the last of them, including the wait for a free thread.
        """

    def swapped(self, loaded: "Loaded") -> None:
        """A version has begun to serve. From any thread."""

    def load_failed(self, version: str, reason: str) -> None:
        """A version could not be loaded. From any thread.

        Args:
            version: The name of the version in replies.
            reason: The class of the error, e.g. `GoldenProbeError`.
        """

    def looked(self, *, reached: bool, faults: int, hanging: int) -> None:
        """The service has looked at the repository, or has tried to. From any thread.

        Args:
            reached: Whether it has seen the whole of it.
            faults: The number of entries in it that cannot be read, or are not what belongs there.
            hanging: The number of reads that were left behind and have not ended.
        """

    def shadowed(self, loaded: "Loaded", images: int, disagreed: int) -> None:
        """A shadow has computed the same images as the version that answered.

        Args:
            loaded: The shadow.
            images: The number of images.
            disagreed: The number of images in which it read another digit, or a digit where the other read none.
        """

    def fell_back(self, left: str, taken: str) -> None:
        """The service has returned to an earlier version on its own. From any thread.

        Args:
            left: The version that failed too often.
            taken: The version that serves instead.
        """

    def feedback(self, outcome: str) -> None:
        """A user has sent the true digit of a picture. From any thread.

        Args:
            outcome: `stored`, `repeated`, or the class of the error.
        """

    def handshake(self) -> None:
        """A client has begun a TLS handshake, which may fail yet. From any thread."""

    def certificate(self, file: str, begins: "datetime", ends: "datetime") -> None:
        """The validity of the certificates in use was looked at. From any thread.

        Args:
            file: `certificate` or `client_ca`; the times are those of what ends first in it.
            begins: When it has become valid.
            ends: When it ceases to be valid.
        """

    def reloaded(self, secret: str, usable: bool) -> None:
        """The files of a secret were looked at, as they are once a second. From any thread.

        Args:
            secret: `certificate` or `tokens`.
            usable: Whether they can be used; if not, what was read earlier remains in use.
        """

    def self_checked(self, address: str, succeeded: bool) -> None:
        """The service has made a TLS handshake with itself. From any thread.

        Args:
            address: Where: `host:port`.
            succeeded: Whether it saw a certificate that is valid now.
        """


class Observers(Observer):
    """Several observers as one. An event is passed only to those that override its method: most ignore most events."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        """Combine observers; each event reaches them in this order."""
        self._observers: list[Observer] = []
        for observer in observers:
            self._observers += observer._observers if isinstance(observer, Observers) else [observer]
        for event, no_op in vars(Observer).items():
            if not event.startswith("_"):
                listeners = [each for each in self._observers if getattr(type(each), event) is not no_op]
                setattr(self, event, _all_of([getattr(each, event) for each in listeners]))


def _all_of(listeners: Sequence[Callable[..., None]]) -> Callable[..., None]:
    """One function that calls all of them."""
    if len(listeners) == 1:
        return listeners[0]

    def notify(*arguments: object, **named: object) -> None:
        for listener in listeners:
            listener(*arguments, **named)

    return notify
