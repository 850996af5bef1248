"""The cookies of administrators: that of a session, and what ties the form for signing in to its browser."""

import hmac
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["clear_session", "derived", "form_key", "session_name", "set_form_key", "set_session"]

_NAME = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 random bytes, as `secrets.token_urlsafe` writes them."""

_MOST_SECONDS = 12 * 3600


def session_name(request: Request) -> str:
    """The id of a session that a browser sends; "" if it sends none that could be one."""
    return _sent(request, "session")


def set_session(response: Response, request: Request, name: str) -> None:
    """Let a browser keep the id of its session, and send it to this server alone, and never for another site."""
    _set(response, request, "session", name)


def clear_session(response: Response, request: Request) -> None:
    """Let a browser forget its session."""
    secure = _is_secure(request)
    response.delete_cookie(_cookie("session", secure=secure), path="/", secure=secure, httponly=True, samesite="strict")


def form_key(request: Request) -> str:
    """What a browser sends beside the form for signing in, before there is a session; a new one if it has none."""
    return _sent(request, "form") or secrets.token_urlsafe(32)


def set_form_key(response: Response, request: Request, key: str) -> None:
    """Let a browser keep it: the form must contain what is derived from it."""
    _set(response, request, "form", key)


def derived(key: str, secret: bytes) -> str:
    """What a form contains for a key. Without the secret, which only this process knows, nobody can derive it."""
    return hmac.new(secret, key.encode(), "sha256").hexdigest()


def _sent(request: Request, purpose: str) -> str:
    value = request.cookies.get(_cookie(purpose, secure=_is_secure(request)), "")
    return value if _NAME.fullmatch(value) else ""


def _set(response: Response, request: Request, purpose: str, value: str) -> None:
    secure = _is_secure(request)
    response.set_cookie(
        _cookie(purpose, secure=secure),
        value,
        max_age=_MOST_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _cookie(purpose: str, *, secure: bool) -> str:
    # The prefix makes browsers refuse the cookie from any other host, and over plain HTTP.
    return f"__Host-numeral_{purpose}" if secure else f"numeral_{purpose}"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
