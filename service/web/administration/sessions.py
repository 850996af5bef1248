"""Who is signed in: the sessions of administrators, in memory alone.

A browser keeps a random number, its cookie; the server keeps the digest of that number and, by it, the token with which
it calls the service for this administrator. So the token never goes back to a browser, and a copy of the server's table
would not give anybody a cookie. A restart of the web server signs everybody out.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

__all__ = ["Notice", "Session", "Sessions"]

IDLE_SECONDS = 3600.0
"""A session ends when it was not used for this long."""

LONGEST_SECONDS = 12 * 3600.0
"""A session ends this long after it began, used or not."""

MOST_SESSIONS = 1000
"""Sessions at the same time. One more ends the one that was not used for the longest time."""

RANDOM_BYTES = 32
"""256 bits: nobody finds a session by trying."""


@dataclass(frozen=True)
class Notice:
    """What the next page says about what was just done.

    Attributes:
        key: The key of the sentence among the words.
        values: What the sentence names.
        good: Whether it was done; False if it failed.
    """

    key: str
    values: dict[str, str | int] = field(default_factory=dict)
    good: bool = True


@dataclass
class Session:
    """One administrator who is signed in.

    Attributes:
        token: With which the service is called. Never shown, nor logged.
        open_service: Whether the service has no tokens, so that none was asked for.
        csrf: What each form must send: another site can make a browser send a form, but cannot read this.
        began: The time at which it began, in seconds of the clock.
        used: The time at which it was used last.
        notices: What the next page is to say.
    """

    token: str = field(repr=False)
    open_service: bool
    began: float
    used: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(RANDOM_BYTES), repr=False)
    notices: list[Notice] = field(default_factory=list)

    def permits(self, csrf: str) -> bool:
        """Whether a form came from one of our own pages. The time that this takes reveals nothing."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "replace"))

    def notices_to_show(self) -> list[Notice]:
        """What the page is to say; each is given once."""
        notices, self.notices = self.notices, []
        return notices


class Sessions:
    """All sessions, by the digests of what the browsers keep. To be used in one event loop."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Nobody is signed in.

        Args:
            clock: Gives the time, in seconds.
        """
        self._clock = clock
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, token: str, *, open_service: bool) -> str:
        """Begin a session; gives its id, for the cookie. No id that a browser brings is ever taken over.

        Args:
            token: With which the service is called.
            open_service: Whether the service has no tokens.
        """
        now = self._clock()
        self._remove_ended(now)
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.popitem(last=False)
        name = secrets.token_urlsafe(RANDOM_BYTES)
        self._sessions[_digest(name)] = Session(token, open_service, began=now, used=now)
        return name

    def find(self, name: str) -> Session | None:
        """The session with an id, which is used by this; None if there is none, or it has ended."""
        digest, now = _digest(name), self._clock()
        session = self._sessions.get(digest)
        if session is None:
            return None
        if _has_ended(session, now):
            del self._sessions[digest]
            return None
        session.used = now
        self._sessions.move_to_end(digest)
        return session

    def end(self, name: str) -> None:
        """End the session with an id, if there is one."""
        self._sessions.pop(_digest(name), None)

    def _remove_ended(self, now: float) -> None:
        for digest in [digest for digest, session in self._sessions.items() if _has_ended(session, now)]:
            del self._sessions[digest]


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()


def _has_ended(session: Session, now: float) -> bool:
    return now - session.used >= IDLE_SECONDS or now - session.began >= LONGEST_SECONDS
