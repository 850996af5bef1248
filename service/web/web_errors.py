"""The errors with which the web server itself refuses a request; those of the service are in `service.client.failures`.

NumeralError                     (core.errors)
└── WebError                     the web server refuses a request
    ├── HostError                the request names another host than this server's
    ├── CrossSiteError           another site's page sends it
    ├── BodyTooLargeError        its body is larger than allowed
    ├── SlowBodyError            its body arrives too slowly
    ├── TooManyError             its sender sends too many
    └── BusyError                all senders together send too much
"""

from core.errors import NumeralError

__all__ = ["BodyTooLargeError", "BusyError", "CrossSiteError", "HostError", "SlowBodyError", "TooManyError", "WebError"]


class WebError(NumeralError):
    """The web server refuses a request.

    Attributes:
        retry_after: Seconds after which the same request may be sent again; None if that would not help.
    """

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class HostError(WebError):
    """The request names another host than this server's: a page elsewhere may have pointed its own name here."""


class CrossSiteError(WebError):
    """A page of another site sends the request."""


class BodyTooLargeError(WebError):
    """The body of the request is larger than allowed."""


class SlowBodyError(WebError):
    """The body of the request arrives too slowly."""


class TooManyError(WebError):
    """The sender of the request sends more, or more at once, than one may."""


class BusyError(WebError):
    """All senders together send more than the web server holds."""
