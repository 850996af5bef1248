"""The errors of the client; `service.client.diagnosis` says which one a failed call becomes.

    NumeralError                    (core.errors)
    ├── ServiceError                the service gave no answer
    │   ├── UnreachableError        no server answers at the address, or the server has no model yet
    │   ├── DeadlineError           the answer took too long
    │   ├── NotFoundError           no such version, or no such item
    │   ├── OverloadedError         the service has too much to do, or no room for more
    │   ├── RefusedError            what is asked for exists, and cannot be served or learned from
    │   ├── AccessError             the service does not know the token, or the token does not permit the call
    │   └── ClosedError             the client is closed, or belongs to another event loop or process
    ├── RequestError                the service refused a request that asks for something impossible
    │   └── ArgumentError           an argument is wrong, and nothing was sent
    └── PictureError                (core.errors)
        └── PictureFileError        the file of a picture cannot be read
            └── MissingFileError    there is no such file

An error about the picture is the `PictureError` that the server raised. An `ArgumentError` is a `ValueError` and a
`TypeError` too, a `PictureFileError` an `OSError`, and a `MissingFileError` a `FileNotFoundError`.
"""

from core.errors import NumeralError, PictureError

__all__ = [
    "AccessError",
    "ArgumentError",
    "ClosedError",
    "DeadlineError",
    "MissingFileError",
    "NotFoundError",
    "OverloadedError",
    "PictureFileError",
    "RefusedError",
    "RequestError",
    "ServiceError",
    "UnreachableError",
]


class ServiceError(NumeralError):
    """The service gave no answer.

    Attributes:
        kind: The class that the service gave the error, such as "FeedbackOffError", where its status says less; "" if
            the error is not one of the service.
    """

    kind: str = ""


class UnreachableError(ServiceError):
    """No server answers at the address, or the server has no model yet."""


class DeadlineError(ServiceError):
    """The answer took longer than the timeout allows."""


class NotFoundError(ServiceError):
    """The service has no such version, or no such item."""


class OverloadedError(ServiceError):
    """The service has too much to do, or no room for more; the call was tried several times."""


class RefusedError(ServiceError):
    """What is asked for exists and is of no use: a version, an item of feedback or a document that is damaged, say."""


class AccessError(ServiceError):
    """The service does not know the token, or the token does not permit the call."""


class ClosedError(ServiceError):
    """The client is closed, or belongs to another event loop or process."""


class RequestError(NumeralError):
    """The service refused a request that asks for something impossible; about its picture, see `PictureError`."""


class ArgumentError(RequestError, ValueError, TypeError):
    """An argument of a call is wrong, and nothing was sent."""


class PictureFileError(PictureError, OSError):
    """The file of a picture cannot be read."""


class MissingFileError(PictureFileError, FileNotFoundError):
    """There is no such file."""
