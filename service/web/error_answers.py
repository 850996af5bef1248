"""The answer to a request that failed: JSON for scripts and programs, a page for people."""

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import NumeralError
from service.web.http_status import headers_of, sentence_of, status_of

__all__ = ["answer", "of_http"]

EXPLAINED = (403, 404, 413, 421, 429, 500, 503)
"""The statuses about which there are words in each language; the page of another one has those of 500."""

_SENTENCES = {404: "there is nothing at this address", 405: "this address takes other methods only"}
"""What Starlette says of these in two words."""

_log = logging.getLogger(__name__)


def answer(request: Request, error: Exception) -> Response:
    """The answer.

    Args:
        request: What failed.
        error: Why. What nobody has foreseen is logged in full, and its reader is told no more than that it happened.
    """
    if isinstance(error, HTTPException):
        sentence = error.detail
        if sentence == HTTPStatus(error.status_code).phrase:
            sentence = _SENTENCES.get(error.status_code, sentence)
        return _answer(request, error.status_code, sentence, "RequestError", dict(error.headers or {}))
    if isinstance(error, NumeralError):
        status = status_of(error)
        if status >= 500:
            _log.warning("%s %s: %s", request.method, request.url.path, error)
        return _answer(request, status, sentence_of(error), type(error).__name__, headers_of(error))
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    sentence = "something went wrong; the log of the web server says what"
    return _answer(request, 500, sentence, "NumeralError", {"Cache-Control": "no-store"})


async def of_http(request: Request, error: Exception) -> Response:
    """The same as a handler of Starlette, for its own errors: no such page, no such method."""
    return answer(request, error)


def _answer(request: Request, status: int, sentence: str, kind: str, headers: dict[str, str]) -> Response:
    path = request.url.path
    if path == "/v2" or path.startswith("/v2/"):  # the protocol has no other field
        return JSONResponse({"error": sentence}, status, headers)
    if path.startswith("/page/") or path in ("/healthz", "/openapi.json"):
        return JSONResponse({"error": sentence, "kind": kind}, status, headers)
    about = status if status in EXPLAINED else 404 if status == HTTPStatus.METHOD_NOT_ALLOWED else 500
    page: Response = request.app.state.site.page(
        request, "error.html.j2", status=status, number=status, about=about, sentence=sentence
    )
    page.headers.update(headers)
    return page
