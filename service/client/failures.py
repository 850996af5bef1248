"""What a client raises where it gets no answer."""

from core.errors import NumeralError


class ServiceError(NumeralError):
    """The service gave no answer."""


class UnreachableError(ServiceError):
    """No server answers at the address, or the one that does has no model yet."""


class DeadlineError(ServiceError):
    """The answer took longer than it was given."""


class NotFoundError(ServiceError):
    """The service has no such version, or no such item."""


class OverloadedError(ServiceError):
    """The service has more to do than it can, or no room for more; it was asked several times."""


class AccessError(ServiceError):
    """The service does not know the token, or does not let it do this."""


class RequestError(NumeralError):
    """The service refused a request that asks for something impossible; about its picture, `PictureError` tells."""
