"""The requests of a client, built from a picture in any of the forms that its user may have."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2 import (
    AcceptFeedbackRequest,
    DiscardFeedbackRequest,
    ExplainRequest,
    GetCardRequest,
    GetModelRequest,
    ListFeedbackRequest,
    LookInsideRequest,
    PinVersionRequest,
    RecognizeBatchRequest,
    RecognizeManyRequest,
    RecognizeRequest,
    RecognizeStreamRequest,
    SendFeedbackRequest,
)
from protos.numeral.v1.recognizer_pb2 import Picture as PictureMessage
from service.client.arguments import digit_of, flag, number_within, reply_id_of, several, text_of, version_text
from service.client.pictures import picture_field

if TYPE_CHECKING:
    from service.client.pictures import Picture
    from service.wire import Reading

T = TypeVar("T")

__all__ = [
    "BatchOfPictures",
    "StreamOfPictures",
    "accept_request",
    "card_request",
    "discard_request",
    "explain_request",
    "feedback_request",
    "inside_request",
    "list_feedback_request",
    "many_request",
    "model_request",
    "pin_request",
    "recognize_request",
]


def recognize_request(picture: "Picture", model_version: str | int = "", want_pixels: bool = False) -> RecognizeRequest:
    """The request to recognize one picture; `want_pixels` asks for the picture as the network saw it."""
    version, wanted = version_text(model_version), flag(want_pixels, "want_pixels")
    return RecognizeRequest(**picture_field(picture), model_version=version, want_pixels=wanted)


def many_request(picture: "Picture", model_version: str | int) -> RecognizeManyRequest:
    """The request to recognize all the digits in one picture."""
    version = version_text(model_version)
    return RecognizeManyRequest(**picture_field(picture), model_version=version)


def explain_request(picture: "Picture", digit: int | None, model_version: str | int) -> ExplainRequest:
    """The request to explain an answer; `digit` is the digit to explain, None for the most probable one."""
    version, wanted = version_text(model_version), None if digit is None else digit_of(digit)
    return ExplainRequest(**picture_field(picture), digit=wanted, model_version=version)


def inside_request(picture: "Picture", model_version: str | int) -> LookInsideRequest:
    """The request to follow a picture through the network."""
    version = version_text(model_version)
    return LookInsideRequest(**picture_field(picture), model_version=version)


def card_request(version: str | int) -> GetCardRequest:
    """The request for the card of a version."""
    return GetCardRequest(model_version=version_text(version))


def feedback_request(picture: "Picture", digit: int, about: "Reading | None") -> SendFeedbackRequest:
    """The request that sends the true digit of a picture; `about` is the answer that was wrong, if it is known."""
    digit, reply_id = digit_of(digit), reply_id_of(about)
    return SendFeedbackRequest(**picture_field(picture), digit=digit, reply_id=reply_id)


def model_request(version: str | int) -> GetModelRequest:
    """The request to describe a version."""
    return GetModelRequest(model_version=version_text(version))


def pin_request(version: str | int) -> PinVersionRequest:
    """The request to pin a version; "" for none."""
    return PinVersionRequest(model_version=version_text(version))


def list_feedback_request(page_size: int, page: str) -> ListFeedbackRequest:
    """The request for a page of the feedback."""
    size = number_within(page_size, "page_size", 1, 1000)
    return ListFeedbackRequest(page_size=size, page=text_of(page, "page"))


def discard_request(item: str) -> DiscardFeedbackRequest:
    """The request to remove an item of feedback."""
    return DiscardFeedbackRequest(item=text_of(item, "item"))


def accept_request(item: str) -> AcceptFeedbackRequest:
    """The request to accept an item of feedback."""
    return AcceptFeedbackRequest(item=text_of(item, "item"))


class BatchOfPictures:
    """Several pictures for one call: those that can be read are sent, and the others keep their error."""

    def __init__(self, pictures: "Iterable[Picture]", model_version: str | int) -> None:
        """Read the pictures."""
        self.request = RecognizeBatchRequest(model_version=version_text(model_version))
        self._errors: list[NumeralError | None] = []
        for picture in several(pictures):
            try:
                self.request.pictures.append(PictureMessage(**picture_field(picture)))
                self._errors.append(None)
            except NumeralError as error:
                self._errors.append(error)

    @property
    def is_sent(self) -> bool:
        """Whether there is anything to ask the server. Of no pictures at all, the server says what is wrong."""
        return bool(self.request.pictures) or not self._errors

    def in_order(self, outcomes: Iterable[T]) -> list[T | NumeralError]:
        """The outcomes of the pictures that were sent, and the errors of the others, in the order of the pictures."""
        sent = iter(outcomes)
        return [next(sent) if error is None else error for error in self._errors]


class StreamOfPictures:
    """The requests of a stream, one for each picture.

    In place of a picture that cannot be read, a request without a picture is sent: the server answers it in its turn,
    and the picture's own error is put where that answer is. So errors come in order, even if the user sends each
    picture only after the outcome of the last.

    Attributes:
        raised: The error that the user's iterable raised, which has ended the requests; else None. gRPC, whose thread
            takes the requests, would report it as its own.
    """

    def __init__(self, model_version: str | int, want_pixels: bool = False) -> None:
        self.raised: BaseException | None = None
        self._options: dict[str, Any] = {
            "model_version": version_text(model_version),
            "want_pixels": flag(want_pixels, "want_pixels"),
        }
        self._errors: dict[int, NumeralError] = {}
        self._sent = self._answered = 0

    def requests(self, pictures: "Iterable[Picture]") -> Iterator[RecognizeStreamRequest]:
        """Yields the request for each picture."""
        try:
            for picture in pictures:
                yield self.request(picture)
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 — raised by the caller, where the user sees it
            self.raised = error

    def request(self, picture: "Picture") -> RecognizeStreamRequest:
        """The request for the next picture."""
        fields: dict[str, Any] = {}
        try:
            fields = picture_field(picture)
        except NumeralError as error:
            self._errors[self._sent] = error
        self._sent += 1
        return RecognizeStreamRequest(request=RecognizeRequest(**fields, **self._options))

    def outcome(self, outcome: T) -> T | NumeralError:
        """The outcome of the next picture, of which the server said `outcome`."""
        error = self._errors.pop(self._answered, None)
        self._answered += 1
        return outcome if error is None else error
