"""The errors of the client, and which one a failed call becomes.

    NumeralError                (core.errors)
    ├── ServiceError            the service gave no answer
    │   ├── UnreachableError    no server answers at the address, or the server has no model yet
    │   ├── DeadlineError       the answer took too long
    │   ├── NotFoundError       no such version, or no such item
    │   ├── OverloadedError     the service has too much to do, or no room for more
    │   └── AccessError         the service does not know the token, or the token does not permit the call
    └── RequestError            the service refused a request that asks for something impossible

An error about the picture is the `PictureError` that the server raised.
"""

import grpc

from core.errors import NoDigitError, NumeralError, PictureError, PictureTooLargeError, PictureUnreadableError

__all__ = [
    "AccessError",
    "DeadlineError",
    "NotFoundError",
    "OverloadedError",
    "RequestError",
    "ServiceError",
    "UnreachableError",
    "failure",
]


class ServiceError(NumeralError):
    """The service gave no answer."""


class UnreachableError(ServiceError):
    """No server answers at the address, or the server has no model yet."""


class DeadlineError(ServiceError):
    """The answer took longer than the timeout allows."""


class NotFoundError(ServiceError):
    """The service has no such version, or no such item."""


class OverloadedError(ServiceError):
    """The service has too much to do, or no room for more; the call was tried several times."""


class AccessError(ServiceError):
    """The service does not know the token, or the token does not permit the call."""


class RequestError(NumeralError):
    """The service refused a request that asks for something impossible; about its picture, see `PictureError`."""


_ARGUMENT_ERRORS: dict[str, type[NumeralError]] = {
    kind.__name__: kind for kind in (PictureUnreadableError, PictureTooLargeError, NoDigitError, RequestError)
}


def failure(address: str, code: grpc.StatusCode, details: str, kind: str) -> NumeralError:
    """The error that a status becomes.

    Args:
        address: The address of the server, for the message.
        code: The status code.
        details: The message.
        kind: The class that the server gave the error; "" if the status comes from gRPC itself.
    """
    match code:
        case grpc.StatusCode.INVALID_ARGUMENT:
            return _ARGUMENT_ERRORS.get(kind, PictureError)(details)
        case grpc.StatusCode.NOT_FOUND:
            return NotFoundError(f"{address}: {details}")
        case grpc.StatusCode.UNAVAILABLE if kind:
            return UnreachableError(f"{address}: {details}")
        case grpc.StatusCode.UNAVAILABLE:
            port = address.rpartition(":")[2]
            command = "python -m service serve" + (f" --port {port}" if port.isdigit() else "")
            return UnreachableError(f"no server answers at {address} ({details}); start one with: {command}")
        case grpc.StatusCode.RESOURCE_EXHAUSTED if kind:
            return OverloadedError(f"{address}: {details}")
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return PictureTooLargeError(f"{address} accepts no message of this size: {details}")
        case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
            return AccessError(f"{address}: {details}")
        case _:
            return ServiceError(f"{address} failed with {code.name}: {details}")
