"""What the pages for administrators share: who is signed in, and how often anybody may try."""

import secrets

from starlette.requests import Request

from service.web.administration.attempts import Attempts
from service.web.administration.cookies import session_name
from service.web.administration.sessions import Session, Sessions

__all__ = ["Doors", "doors"]


class Doors:
    """The sessions of one web server, and the limit of attempts to begin one.

    Attributes:
        sessions: Who is signed in.
        attempts: How often anybody may try.
        secret: From which the form for signing in is made unforgeable, until the server stops.
    """

    def __init__(self) -> None:
        """Nobody is signed in."""
        self.sessions, self.attempts, self.secret = Sessions(), Attempts(), secrets.token_bytes(32)

    def session_of(self, request: Request) -> Session | None:
        """The session of the browser that sends a request, if it has one."""
        return self.sessions.find(session_name(request))

    def csrf_of(self, request: Request) -> str:
        """What the forms of this browser's session carry; "" if it has none."""
        session = self.session_of(request)
        return session.csrf if session else ""


def doors(request: Request) -> Doors:
    """Those of the web server that a request came to."""
    found: Doors = request.app.state.doors
    return found
