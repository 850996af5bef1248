"""Every error that the service raises on purpose, beside those of `core.errors`.

    NumeralError                     (core.errors)
    ├── CallError                    a call is refused; each class has its row in `service.api.status`
    │   ├── RequestError             the request asks for something impossible
    │   ├── InferRequestError        a request of the Open Inference Protocol is malformed
    │   ├── UnknownModelError        a request of the Open Inference Protocol names a model that does not exist
    │   ├── UnknownVersionError      the request names a version or an alias that does not exist
    │   ├── UnknownDocumentError     the request names a document that the version does not have
    │   ├── DocumentRefusedError     a document is not what was published, or too large to be sent
    │   ├── DocumentUnreadableError  a document cannot be read now
    │   ├── RepositoryAwayError      the repository cannot be read now
    │   ├── NotReadyError            the version exists, but is not loaded
    │   ├── NoModelError             no version is loaded yet
    │   ├── LoadRefusedError         an operator asks for a version that cannot be served
    │   ├── UnauthenticatedError     the call carries no token, or an unknown one
    │   ├── DeniedError              the token does not permit the method
    │   ├── OverloadedError          too much is waiting already, or the token is over its quota
    │   ├── ExpiredError             the deadline passed before the call was processed
    │   ├── StoppingError            the server is stopping, and ends the stream
    │   ├── FeedbackOffError         the service collects no feedback
    │   ├── FeedbackRateError        feedback arrives faster than the rate that is set
    │   └── FeedbackFullError        the feedback folder has reached the size that is set
    ├── CannotTryError               a version cannot be tried, as no service can be started on this machine
    └── ArtifactError                (core.errors)
        ├── NotEnoughMemoryError     a version does not fit into the memory that is left
        └── RepositoryError          (core.errors)
            └── StorageHungError     a read of the storage has not ended in time

Each message names the thing, what was found, what was expected and, where there is one, the next step. The errors of
the client, which stand for these on the other side of the wire, are in `service.client.failures`.
"""

from collections.abc import Callable
from typing import TypeVar

from core.errors import ArtifactError, NumeralError, RepositoryError

__all__ = [
    "CallError",
    "CannotTryError",
    "DeniedError",
    "DocumentRefusedError",
    "DocumentUnreadableError",
    "ExpiredError",
    "FeedbackFullError",
    "FeedbackOffError",
    "FeedbackRateError",
    "InferRequestError",
    "LoadRefusedError",
    "NoModelError",
    "NotEnoughMemoryError",
    "NotReadyError",
    "OverloadedError",
    "RepositoryAwayError",
    "RequestError",
    "StoppingError",
    "StorageHungError",
    "UnauthenticatedError",
    "UnknownDocumentError",
    "UnknownModelError",
    "UnknownVersionError",
    "without_traces",
]

E = TypeVar("E", bound=BaseException)


def without_traces(error: E) -> E:
    """The error without its traceback and what led to it.

    A traceback keeps all variables of the functions that it leads through, the picture of the request among them; and
    if the error is a variable of one of these, only the garbage collector frees them, after hundreds of such calls.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class CallError(NumeralError):
    """A call is refused."""


class RequestError(CallError):
    """The request asks for something impossible. What is wrong with its picture is a `PictureError`."""


class InferRequestError(CallError):
    """A request of the Open Inference Protocol is malformed."""


class UnknownModelError(CallError):
    """A request of the Open Inference Protocol names a model that does not exist."""


class UnknownVersionError(CallError):
    """The request names a version or an alias that does not exist."""


class UnknownDocumentError(CallError):
    """The request names a document that the version was published without, or that no version has."""


class DocumentRefusedError(CallError):
    """A document is not what was published with its version, or too large to be sent."""


class DocumentUnreadableError(CallError):
    """A document cannot be read now: the storage has failed, or has not answered in time."""


class RepositoryAwayError(CallError):
    """The repository cannot be read now: the storage has failed, or has not answered in time."""


class NotReadyError(CallError):
    """The version that the request names exists, but is not loaded."""


class NoModelError(CallError):
    """No version is loaded yet."""


class LoadRefusedError(CallError):
    """An operator asks for a version that cannot be served."""


class UnauthenticatedError(CallError):
    """The call carries no token, or an unknown one."""


class DeniedError(CallError):
    """The token of the call does not permit the method."""


class OverloadedError(CallError):
    """Too much is waiting already, or the token of the call is over its quota.

    Attributes:
        retry_after: Seconds after which the client may try again.
    """

    def __init__(self, sentence: str, retry_after: float) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class ExpiredError(CallError):
    """The deadline of the call passed before the call was processed."""

    def __init__(self) -> None:
        super().__init__("the deadline of the call passed before it was processed")


class StoppingError(CallError):
    """The server is stopping, and ends a stream before the client does."""

    def __init__(self) -> None:
        super().__init__("the server is stopping; send the unanswered requests again, to this server or another")


class FeedbackOffError(CallError):
    """The service collects no feedback."""


class FeedbackRateError(CallError):
    """Feedback arrives faster than the rate that is set. It is refused, not queued: the wait could be long."""


class FeedbackFullError(CallError):
    """The feedback folder has reached the size that is set."""


class CannotTryError(NumeralError):
    """A version cannot be tried, because no service can be started on this machine, whatever the version."""


class NotEnoughMemoryError(ArtifactError):
    """A version does not fit into the memory that is left. The version is not at fault, so it is tried again."""


class StorageHungError(RepositoryError):
    """A read of the storage has not ended in time, and was left behind.

    Attributes:
        ended: Whether it has ended since.
    """

    def __init__(self, sentence: str, ended: Callable[[], bool]) -> None:
        super().__init__(sentence)
        self.ended = ended
