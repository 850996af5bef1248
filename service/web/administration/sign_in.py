"""Signing in and out: the admin token is asked for once, and checked by a call that needs it."""

import asyncio
import hmac
import logging
import math
import re
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.errors import ConfigError, NumeralError
from service.client import AccessError
from service.web.administration import cookies
from service.web.administration.doors import doors
from service.web.administration.posted import Fields, FormError, fields_of
from service.web.administration.return_path import return_path
from service.web.administration.visit import refused
from service.web.http_status import status_of
from service.web.security.at_this_machine import is_at_this_machine

__all__ = ["routes"]

LONGEST_TOKEN = 4096
"""Characters of a token that is sent to the service."""

_TOKEN = re.compile(r"[!-~]+")

_WHY = ("ended", "refused", "out")

_log = logging.getLogger(__name__)


async def _form(request: Request) -> Response:
    after = return_path(request.query_params.get("next", ""))
    if doors(request).session_of(request):
        return RedirectResponse(after, 303)
    why = request.query_params.get("why", "")
    return await _page(request, after, why=why if why in _WHY else "")


async def _begin(request: Request) -> Response:
    try:
        fields = await fields_of(request)
    except FormError as error:
        return refused(request, error.status, error.key)
    after = return_path((fields.get("next") or [""])[0])
    key = cookies.derived(cookies.form_key(request), doors(request).secret)
    if not hmac.compare_digest(key.encode(), _first(fields, "key")):
        return await _page(request, after, trouble="admin.sign_in.stale", status=403)
    if wait := doors(request).attempts.count(request.client):
        seconds = math.ceil(wait)
        page = await _page(request, after, trouble="admin.sign_in.too_often", status=429, seconds=seconds)
        page.headers["Retry-After"] = str(seconds)
        return page
    token = _first(fields, "token").decode("utf-8", "replace").strip()
    try:
        session_token, open_service = await _checked(request, token)
    except AccessError:
        _log.warning("%s: a token was refused at the sign-in of the web page", _peer(request))
        return await _page(request, after, trouble="admin.sign_in.wrong", status=403)
    except NumeralError as error:
        return await _page(request, after, trouble=_trouble(error), status=status_of(error))
    if open_service and not is_at_this_machine(request.scope):
        return await _page(request, after, status=403)
    _log.info("%s: an administrator has signed in to the web page", _peer(request))
    doors(request).sessions.end(cookies.session_name(request))
    response = RedirectResponse(after, 303)
    response.headers["Cache-Control"] = "no-store"
    name = doors(request).sessions.begin(session_token, open_service=open_service)
    cookies.set_session(response, request, name)
    return response


async def _end(request: Request) -> Response:
    session = doors(request).session_of(request)
    try:
        fields = await fields_of(request)
    except FormError as error:
        return refused(request, error.status, error.key)
    if session and not session.permits(_first(fields, "csrf").decode()):
        return refused(request, 403, "admin.form.foreign")
    doors(request).sessions.end(cookies.session_name(request))
    response = RedirectResponse("/sign-in?why=out", 303)
    cookies.clear_session(response, request)
    return response


async def _checked(request: Request, token: str) -> tuple[str, bool]:
    """The token with which the session calls the service, and whether the service is open to anybody.

    A token that nobody can have is always tried beside the other one: only a service without tokens accepts it. What
    cannot be a token is replaced by such a one, so that its refusal takes as long as that of any other.

    Raises:
        AccessError: The token does not permit what administrators do.
        NumeralError: The service gave no answer.
    """
    nobodys = secrets.token_urlsafe(32)
    possible = token if len(token) <= LONGEST_TOKEN and _TOKEN.fullmatch(token) else secrets.token_urlsafe(32)
    open_service, permitted = await asyncio.gather(_permits(request, nobodys), _permits(request, possible))
    if open_service:
        return nobodys, True
    if not permitted:
        raise AccessError("the token does not permit what administrators do")
    return possible, False


async def _permits(request: Request, token: str) -> bool:
    """Whether the service lets a token do what administrators do."""
    try:
        async with request.app.state.upstream.with_token(token) as client:
            await client.versions(limit=1)
    except AccessError:
        return False
    return True


async def _page(
    request: Request, after: str, *, why: str = "", trouble: str = "", status: int = 200, seconds: int = 0
) -> Response:
    """The form; for a service without tokens a single button, or how to set them."""
    form = "token"
    if status in (200, 403):
        try:
            if await _permits(request, secrets.token_urlsafe(32)):
                form = "button" if is_at_this_machine(request.scope) else "none"
                trouble = trouble if form == "button" and trouble == "admin.sign_in.stale" else ""
        except NumeralError as error:
            trouble, status = trouble or _trouble(error), status_of(error) if status == 200 else status
    if form == "none":
        status = 403
    key = cookies.form_key(request)
    page: Response = request.app.state.site.page(
        request,
        "admin/sign_in.html.j2",
        status=status,
        form=form,
        after=after,
        why=why,
        trouble=trouble,
        seconds=seconds,
        key=cookies.derived(key, doors(request).secret),
    )
    page.headers["Cache-Control"] = "no-store"
    cookies.set_form_key(page, request, key)
    return page


def _trouble(error: NumeralError) -> str:
    """The key of the sentence about a service that gave no answer: without its address, as anybody may see it."""
    if isinstance(error, ConfigError):  # the client refuses to send a token in clear text
        return "admin.sign_in.clear"
    return "admin.sign_in.no_answer"


def _peer(request: Request) -> str:
    """The address that a request comes from, for the log."""
    return request.client.host if request.client else "an unknown address"


def _first(fields: Fields, name: str) -> bytes:
    return (fields.get(name) or [""])[0].encode("utf-8", "replace")


routes = [
    Route("/sign-in", _form),
    Route("/sign-in", _begin, methods=["POST"]),
    Route("/sign-out", _end, methods=["POST"]),
]
