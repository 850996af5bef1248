"""The client for threads, see `service.client`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from core.errors import NumeralError
from service.client import answers, asking
from service.client.admin_calls import AdminCalls
from service.client.answers import Explanation, Model
from service.client.arguments import several
from service.client.looked import Inside, inside
from service.client.version_calls import VersionCalls
from service.wire import Found, Reading

if TYPE_CHECKING:
    from service.client.pictures import Picture

__all__ = ["Recognizer"]


class Recognizer(AdminCalls, VersionCalls):
    """A connection to one server, or to several behind one name. Any number of threads may use it at once.

    It reconnects automatically. A call that fails because a server cannot be reached, or has too much to do, is tried
    up to three more times within about a second, at another server if there is one; see
    `service.client.connection.SERVICE_CONFIG`.
    """

    def recognize(
        self,
        picture: "Picture",
        *,
        model_version: str | int = "",
        want_pixels: bool = False,
        timeout: float | None = None,
    ) -> Reading:
        """Which digit does the picture show? If it shows none, the answer says so in `rejected`.

        Args:
            picture: A path; the bytes of a PNG, JPEG, …; an open binary file with such bytes; a Pillow image; or an
                array, also that of another library if it has `__array__`. An array (28, 28) is used as it is, best as
                uint8 from 0 background to 255 ink; in any other picture, the server finds the digit and frames it.
            model_version: The version that is to answer, e.g. "3" or 3, or its alias, e.g. "champion"; by default, the
                choice of the server's policy.
            want_pixels: Whether the answer is to contain the picture as the network saw it, in `image`.
            timeout: Seconds above 0; by default the timeout of the client.

        Raises:
            ArgumentError: An argument is wrong; nothing was sent.
            PictureFileError: The file cannot be read; it is an OSError too.
            PictureError: The picture cannot be read, or no digit is found in it.
            UnreachableError: No server answers at the address, or the server has no model yet.
            NotFoundError: The server has no such version.
            OverloadedError: The server has too much to do.
            DeadlineError: No answer in time.
            AccessError: The server does not know the token, or the token does not permit the call.
            ClosedError: The client is closed.
            ServiceError: The service failed in any other way.
        """
        request = asking.recognize_request(picture, model_version, want_pixels)
        return answers.reading(self._call(self._stub.Recognize, request, timeout))

    def recognize_batch(
        self, pictures: "Iterable[Picture]", *, model_version: str | int = "", timeout: float | None = None
    ) -> list[Reading | NumeralError]:
        """Which digits do the pictures show? One version answers for all of them, in one call.

        Args:
            pictures: 1 to 1,024 pictures; see `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            For each picture the answer, or the error that `recognize` would have raised about it.

        Raises:
            RequestError: There is no picture, or there are too many.
            ServiceError: There is no answer at all; see `recognize`.
            Exception: The error of the iterable.
        """
        batch = asking.BatchOfPictures(pictures, model_version)
        sent = self._call(self._stub.RecognizeBatch, batch.request, timeout).outcomes if batch.is_sent else ()
        return batch.in_order(map(self._connection.outcome, sent))

    def recognize_stream(
        self,
        pictures: "Iterable[Picture]",
        *,
        model_version: str | int = "",
        want_pixels: bool = False,
        timeout: float | None = None,
    ) -> Iterator[Reading | NumeralError]:
        """Which digits do any number of pictures show? One call answers for all of them: the fastest way to ask.

        Another thread takes pictures from the iterable as fast as the server accepts them, without waiting for
        answers. Leaving the loop early ends the call.

        Args:
            pictures: See `recognize`.
            model_version: As for `recognize`.
            want_pixels: As for `recognize`.
            timeout: Seconds for the whole call; by default there is no limit.

        Yields:
            For each picture, in order, the answer, or the error that `recognize` would have raised about it.

        Raises:
            ServiceError: The call failed; see `recognize`. It is not tried again.
            Exception: The error of the iterable, once the pictures before it are answered.
        """
        stream = asking.StreamOfPictures(model_version, want_pixels)
        return self._outcomes(stream, stream.requests(several(pictures)), timeout)

    def recognize_many(
        self, picture: "Picture", *, model_version: str | int = "", timeout: float | None = None
    ) -> list[Found]:
        """Which digits does the picture show, and where?

        Args:
            picture: As for `recognize`; the digits in an array are found as in any other picture.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            The digits in reading order, each with its box and its answer; what looks like a character but is no digit
            has `rejected` in its answer.

        Raises:
            NumeralError: See `recognize`.
        """
        request = asking.many_request(picture, model_version)
        return answers.found(self._call(self._stub.RecognizeMany, request, timeout))

    def explain(
        self,
        picture: "Picture",
        *,
        digit: int | None = None,
        model_version: str | int = "",
        timeout: float | None = None,
    ) -> Explanation:
        """Which pixels speak for a digit, and which against it?

        Args:
            picture: See `recognize`.
            digit: The digit to explain; by default the most probable one.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            RequestError: `digit` is not 0 to 9.
            NumeralError: See `recognize`.
        """
        request = asking.explain_request(picture, digit, model_version)
        return answers.explanation(self._call(self._stub.Explain, request, timeout))

    def look_inside(self, picture: "Picture", *, model_version: str | int = "", timeout: float | None = None) -> Inside:
        """What does each layer of the network make of the picture?

        Args:
            picture: See `recognize`.
            model_version: As for `recognize`.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            NumeralError: See `recognize`.
        """
        request = asking.inside_request(picture, model_version)
        return inside(self._call(self._stub.LookInside, request, timeout))

    def model(self, version: str | int = "", *, timeout: float | None = None) -> Model:
        """Describe a version of the model.

        Args:
            version: A version or an alias; by default, the choice of the server's policy.
            timeout: Seconds; by default the timeout of the client.

        Raises:
            ServiceError: There is no answer; see `recognize`.
        """
        return answers.model(self._call(self._stub.GetModel, asking.model_request(version), timeout))

    def card(self, version: str | int = "", *, timeout: float | None = None) -> str:
        """The card of a version: what it is, what it was trained with, how well it does and where it fails.

        Args:
            version: A version or an alias, whether it is loaded or not; by default, the one that is serving.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            Markdown; "" if the version was published without a card.

        Raises:
            ServiceError: The card cannot be read, or is not what was published; see `recognize` for other reasons.
        """
        return str(self._call(self._stub.GetCard, asking.card_request(version), timeout).markdown)

    def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows, so that the next training learns from it.

        Args:
            picture: The picture that was read wrong; see `recognize`.
            digit: The digit that it shows.
            about: The answer that was wrong, if you have it.
            timeout: Seconds; by default the timeout of the client.

        Returns:
            Whether it is new; False if the same was sent before.

        Raises:
            ServiceError: The feedback was not stored: the service collects none, is overloaded, or cannot be reached.
            NumeralError: See `recognize`.
        """
        request = asking.feedback_request(picture, digit, about)
        return bool(self._call(self._stub.SendFeedback, request, timeout).added)
