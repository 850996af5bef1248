"""The errors with which the REST half refuses a request: a status, and one sentence."""

from core.errors import NumeralError

__all__ = ["GoneError", "Header", "HttpError"]

Header = tuple[bytes, bytes]


class HttpError(NumeralError):
    """A request is refused.

    Attributes:
        status: The HTTP status.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, sentence: str, *headers: Header) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers


class GoneError(NumeralError):
    """The client has gone before its request was complete: there is nobody to answer."""
