"""One request of an administrator who is signed in, and what becomes of its errors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from core.errors import NumeralError
from service.client import AccessError, AsyncRecognizer
from service.web.administration.cookies import clear_session, session_name
from service.web.administration.posted import Fields, FormError, fields_of
from service.web.administration.return_path import sign_in_path
from service.web.administration.sessions import Notice, Session, Sessions
from service.web.administration.spelling import Spelling
from service.web.http_status import headers_of, status_of

__all__ = ["Visit", "administrators", "refused"]


@dataclass(frozen=True)
class Visit:
    """A request, and for whom it is.

    Attributes:
        request: The request.
        session: The session of the administrator.
        client: The service, called with the administrator's token.
        fields: The fields of the form that was sent; empty if none was.
    """

    request: Request
    session: Session
    client: AsyncRecognizer
    fields: Fields

    @property
    def wants_json(self) -> bool:
        """Whether a script asks, not a browser that goes to a page."""
        return wants_json(self.request)

    def field(self, name: str) -> str:
        """The first value of a field; "" if it was not sent."""
        return (self.fields.get(name) or [""])[0]

    def words(self, key: str) -> str:
        """The words of a key, in the language of the request."""
        return _words(self.request, key)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page, which says first what was done before."""
        return _page(self.request, template, status=status, notices=self.session.notices_to_show(), **values)

    def back(self, path: str, notice: Notice | None = None) -> Response:
        """Show another page next, which says what was done here."""
        if notice:
            self.session.notices.append(notice)
        return RedirectResponse(path, 303)


Handler = Callable[[Visit], Awaitable[Response]]


def administrators(path: str, handler: Handler, *, after: str, method: str = "GET") -> Route:
    """A route for those alone who are signed in; others are sent to sign in.

    Args:
        path: The path, as Starlette writes it.
        handler: Answers a visit. What it raises of `NumeralError` becomes a page that says so.
        after: Where to go after signing in, if this page cannot be asked for again.
        method: GET or POST. A form must carry what the session's pages gave it.
    """

    async def endpoint(request: Request) -> Response:
        goal = after if method == "POST" else request.url.path + (f"?{request.url.query}" if request.url.query else "")
        session = _sessions(request).find(session_name(request))
        if session is None:
            return _sign_in_first(request, goal, "ended" if session_name(request) else "")
        try:
            fields = await fields_of(request) if method == "POST" else {}
        except FormError as error:
            return refused(request, error.status, error.key)
        if method == "POST" and not session.permits((fields.get("csrf") or [""])[0]):
            return refused(request, 403, "admin.form.foreign")
        try:
            async with request.app.state.upstream.with_token(session.token) as client:
                return await handler(Visit(request, session, client, fields))
        except AccessError:
            _sessions(request).end(session_name(request))
            return _sign_in_first(request, goal, "refused")
        except NumeralError as error:
            return failed(request, error)

    return Route(path, endpoint, methods=[method], name=handler.__name__)


def wants_json(request: Request) -> bool:
    """Whether a script asks for JSON."""
    return "application/json" in request.headers.get("accept", "")


def failed(request: Request, error: NumeralError) -> Response:
    """The page, or the JSON, that says what the service gave in place of an answer."""
    status = status_of(error)
    if wants_json(request):
        return JSONResponse({"error": str(error), "kind": type(error).__name__}, status, headers_of(error))
    key = "admin.failed." + str(status if status in _EXPLAINED else 502)
    page = _page(request, "admin/failed.html.j2", status=status, key=key, said=str(error))
    page.headers.update(headers_of(error))
    return page


_EXPLAINED = (400, 404, 409, 429, 502, 503, 504)
"""The statuses about which there are words."""


def refused(request: Request, status: int, key: str) -> Response:
    """The page, or the JSON, that says why a request is not carried out."""
    if wants_json(request):
        return JSONResponse({"error": _words(request, key), "kind": "RequestError"}, status)
    return _page(request, "admin/failed.html.j2", status=status, key=key, said="")


def _sessions(request: Request) -> Sessions:
    found: Sessions = request.app.state.doors.sessions
    return found


def _words(request: Request, key: str) -> str:
    languages = request.app.state.site.languages
    found: str = languages.text(languages.wanted(request), key)
    return found


def _page(request: Request, template: str, *, status: int, notices: Sequence[Notice] = (), **values: Any) -> Response:
    site = request.app.state.site
    spelling = Spelling(site.languages.wanted(request))
    page: Response = site.page(request, template, status=status, spelling=spelling, notices=notices, **values)
    page.headers["Cache-Control"] = "no-store"
    return page


def _sign_in_first(request: Request, goal: str, why: str) -> Response:
    if wants_json(request):
        response = refused(request, 401, "admin.sign_in.again")
    else:
        response = RedirectResponse(sign_in_path(goal, why), 303)
    if session_name(request):
        clear_session(response, request)
    return response
