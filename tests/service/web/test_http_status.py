"""What an error becomes for those who ask over HTTP."""

import pytest

from core import errors as core_errors
from core.errors import ConfigError, NumeralError, PictureError
from service.client import failures
from service.client.failures import ServiceError
from service.web import web_errors
from service.web.http_status import headers_of, sentence_of, status_of
from service.web.web_errors import WebError

EXPECTED = {
    "PictureError": 400, "PictureUnreadableError": 400, "NoDigitError": 400, "PictureTooLargeError": 413,
    "PictureFileError": 400, "MissingFileError": 400, "RequestError": 400, "ArgumentError": 400, "ConfigError": 400,
    "NotFoundError": 404, "RefusedError": 409, "AccessError": 403, "OverloadedError": 429, "UnreachableError": 503,
    "ClosedError": 503, "DeadlineError": 504, "ServiceError": 502, "WebError": 400, "HostError": 421,
    "CrossSiteError": 403, "BodyTooLargeError": 413, "SlowBodyError": 408, "TooManyError": 429, "BusyError": 503,
    "NumeralError": 500,
}  # fmt: skip


def _classes() -> list[type[NumeralError]]:
    """Every error that a request may meet: those of the client, of pictures, and of the web server."""
    found = [getattr(module, name) for module in (failures, web_errors) for name in module.__all__]
    pictures = [
        each for each in vars(core_errors).values() if isinstance(each, type) and issubclass(each, PictureError)
    ]
    return [*found, *pictures, ConfigError, NumeralError]


@pytest.mark.parametrize("kind", _classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_status(kind):
    assert status_of(kind("a sentence")) == EXPECTED[kind.__name__]


@pytest.mark.parametrize(
    "kind", [each for each in _classes() if issubclass(each, ServiceError) or each is NumeralError]
)
def test_visitors_are_told_no_address_of_the_service(kind):
    found = sentence_of(kind("10.0.0.7:8500: start one with: python -m service serve"))
    assert "10.0.0.7" not in found


def test_visitors_are_told_what_is_wrong_with_their_picture():
    assert sentence_of(PictureError("the picture is blank")) == "the picture is blank"


def test_what_may_succeed_later_says_when():
    assert headers_of(failures.OverloadedError("full"))["Retry-After"] == "1"
    assert headers_of(WebError("later", 12.3))["Retry-After"] == "13"
    assert "Retry-After" not in headers_of(PictureError("blank"))
