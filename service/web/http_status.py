"""Which HTTP status an error becomes, and what a visitor of the page is told: one table for all rooms."""

from math import ceil
from typing import NamedTuple

from core.errors import ConfigError, NumeralError, PictureError, PictureTooLargeError
from service.client.failures import (
    AccessError,
    ClosedError,
    DeadlineError,
    NotFoundError,
    OverloadedError,
    RefusedError,
    RequestError,
    ServiceError,
    UnreachableError,
)
from service.web.web_errors import (
    BodyTooLargeError,
    BusyError,
    CrossSiteError,
    HostError,
    SlowBodyError,
    TooManyError,
    WebError,
)

__all__ = ["headers_of", "sentence_of", "status_of"]


class _Row(NamedTuple):
    """What an error becomes.

    Attributes:
        status: The HTTP status.
        sentence: What visitors are told; "" for the error's own sentence. Sentences that name addresses, tokens or
            commands are for whoever runs the web server.
    """

    status: int
    sentence: str = ""


_ROWS: dict[type[NumeralError], _Row] = {
    # The request.
    PictureTooLargeError: _Row(413),
    PictureError: _Row(400),
    RequestError: _Row(400),
    ConfigError: _Row(400),  # what a client is made of, such as a token, comes from a form
    NotFoundError: _Row(404, "the service has no such version, or no such item"),
    AccessError: _Row(403, "the service does not permit this"),
    RefusedError: _Row(409, "the version cannot be served, or the item teaches nothing"),
    # The service.
    OverloadedError: _Row(429, "the service has too much to do; try again in a moment"),
    UnreachableError: _Row(503, "the service does not answer, or has no model yet; try again in a moment"),
    ClosedError: _Row(503, "the web server is stopping; try again in a moment"),
    DeadlineError: _Row(504, "the service took too long to answer; try again in a moment"),
    ServiceError: _Row(502, "the service failed"),
    # The web server.
    HostError: _Row(421),
    CrossSiteError: _Row(403),
    BodyTooLargeError: _Row(413),
    SlowBodyError: _Row(408),
    TooManyError: _Row(429),
    BusyError: _Row(503),
    WebError: _Row(400),
    NumeralError: _Row(500, "something went wrong; the log of the web server says what"),
}

RETRY_AFTER = 1
"""Seconds after which what was refused may succeed, if nothing else is known."""


def status_of(error: NumeralError) -> int:
    """The HTTP status of an error: that of its class, or of the nearest one that it derives from."""
    return _row(error).status


def sentence_of(error: NumeralError) -> str:
    """What a visitor of the page is told."""
    return _row(error).sentence or str(error)


def headers_of(error: NumeralError) -> dict[str, str]:
    """The headers that belong to the status."""
    headers = {"Cache-Control": "no-store"}
    seconds = getattr(error, "retry_after", None)
    if seconds is None and status_of(error) in (429, 503):
        seconds = RETRY_AFTER
    if seconds is not None:
        headers["Retry-After"] = str(max(1, ceil(seconds)))
    return headers


def _row(error: NumeralError) -> _Row:
    return next(_ROWS[kind] for kind in type(error).__mro__ if kind in _ROWS)
