"""From exceptions to gRPC status: the one table."""

import grpc
from google.protobuf.message import DecodeError

from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError, PictureError
from service.errors import (
    DeniedError,
    DocumentRefusedError,
    DocumentUnreadableError,
    ExpiredError,
    FeedbackFullError,
    FeedbackOffError,
    FeedbackRateError,
    InferRequestError,
    LoadRefusedError,
    NoModelError,
    NotReadyError,
    OverloadedError,
    RepositoryAwayError,
    RequestError,
    StoppingError,
    UnauthenticatedError,
    UnknownDocumentError,
    UnknownModelError,
    UnknownVersionError,
)
from service.texts import shortened

__all__ = ["STATUS", "status_of"]

STATUS: dict[type[Exception], grpc.StatusCode] = {
    DecodeError: grpc.StatusCode.INVALID_ARGUMENT,
    PictureError: grpc.StatusCode.INVALID_ARGUMENT,
    RequestError: grpc.StatusCode.INVALID_ARGUMENT,
    InferRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownModelError: grpc.StatusCode.NOT_FOUND,
    UnknownVersionError: grpc.StatusCode.NOT_FOUND,
    UnknownDocumentError: grpc.StatusCode.NOT_FOUND,
    DocumentRefusedError: grpc.StatusCode.FAILED_PRECONDITION,
    DocumentUnreadableError: grpc.StatusCode.UNAVAILABLE,
    RepositoryAwayError: grpc.StatusCode.UNAVAILABLE,
    NotReadyError: grpc.StatusCode.UNAVAILABLE,
    NoModelError: grpc.StatusCode.UNAVAILABLE,
    StoppingError: grpc.StatusCode.UNAVAILABLE,
    LoadRefusedError: grpc.StatusCode.FAILED_PRECONDITION,
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    DeniedError: grpc.StatusCode.PERMISSION_DENIED,
    OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ExpiredError: grpc.StatusCode.DEADLINE_EXCEEDED,
    FeedbackOffError: grpc.StatusCode.UNIMPLEMENTED,
    FeedbackRateError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FeedbackNotFoundError: grpc.StatusCode.NOT_FOUND,
    DamagedFeedbackError: grpc.StatusCode.FAILED_PRECONDITION,
    FeedbackError: grpc.StatusCode.UNAVAILABLE,
}
"""The status of each class and of its subclasses, unless a subclass has a row above it.

An exception without a row is unforeseen: it is sent as INTERNAL.
"""


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code and the message that are sent to the client, which is shortened if it is too long to be sent."""
    for kind, code in STATUS.items():
        if isinstance(error, kind):
            return code, shortened(str(error))
    return grpc.StatusCode.INTERNAL, "internal error"
