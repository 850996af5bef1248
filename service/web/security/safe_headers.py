"""The headers that keep a browser from doing what no page here wants."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["HEADERS", "SafeHeaders"]

HEADERS = {
    # Nothing inline, nothing from elsewhere, no frame, no plug-in.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(self), microphone=(), geolocation=(), display-capture=(), midi=(), payment=(), usb=(), serial=(), "
        "hid=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every response, unless it brings a value of its own."""

OVER_TLS = "max-age=31536000"
"""Strict-Transport-Security: in clear text, browsers ignore it."""

_ADDED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_ADDED_OVER_TLS = [*_ADDED, (b"strict-transport-security", OVER_TLS.encode())]
"""As ASGI sends them. What answers thousands of requests per second has no time to look up and encode each anew."""


class SafeHeaders:
    """Adds them to every response, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safe_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name.lower() for name, _ in given}
                added = _ADDED_OVER_TLS if scope["scheme"] == "https" else _ADDED
                message["headers"] = [*given, *(header for header in added if header[0] not in names)]
            await send(message)

        await self._app(scope, receive, safe_send)
