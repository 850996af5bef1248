"""What the service refuses, as HTTP says it: each status of gRPC has one of HTTP."""

import math

import grpc

from core.errors import PictureTooLargeError
from service.web.rest.http_error import HttpError
from service.wire import ERROR_METADATA

__all__ = ["from_grpc"]

STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.CANCELLED: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""The HTTP status of each status of gRPC; 500 for all others."""

SENTENCES: dict[int, str] = {
    429: "the service has too much to do; call again later, or less at once",
    500: "internal error",
    501: "the service has no such method; is it an older version?",
    503: "the service cannot be reached now; call again in a moment",
    504: "the service gave no answer in time",
}
"""What is said of a status that the service has not chosen itself, but gRPC, or a program between the two: its own
words would tell where the service runs."""

TOKEN_NEEDED = "this service needs a token; send the header `Authorization: Bearer TOKEN`"  # noqa: S105 — a sentence


def from_grpc(error: grpc.aio.AioRpcError, *, shown: bool) -> HttpError:
    """What a failed call of the service becomes.

    Args:
        error: What gRPC raised.
        shown: Whether the client sent a token.
    """
    trailing = {str(key): str(value) for key, value in error.trailing_metadata() or ()}
    kind, details = trailing.get(ERROR_METADATA, ""), error.details() or ""
    status = STATUS.get(error.code(), 500)
    if kind == PictureTooLargeError.__name__:
        status = 413
    elif not kind and "larger than max" in details:  # than gRPC's limit for a message
        return HttpError(413, f"the request is larger than the service accepts: {details}")
    sentence = details if kind and status != 500 else SENTENCES.get(status, details or "no reason given")
    if status == 401:
        sentence = details if shown else TOKEN_NEEDED
        return HttpError(status, sentence, (b"www-authenticate", b"Bearer"))
    if status in (429, 503):
        return HttpError(status, sentence, (b"retry-after", _seconds(trailing.get("retry-after-ms", ""))))
    return HttpError(status, sentence)


def _seconds(milliseconds: str) -> bytes:
    """Whole seconds, as HTTP writes them; 1 if the service does not say."""
    return b"%d" % max(1, math.ceil(int(milliseconds) / 1000) if milliseconds.isdigit() else 1)
