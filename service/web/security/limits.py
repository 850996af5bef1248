"""What the web server puts up with."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ANY_HOST", "LOOPBACK_NAMES", "Limits", "hosts_named"]

ANY_HOST = "*"

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names under which a browser reaches this very machine."""


@dataclass(frozen=True)
class Limits:
    """What the web server puts up with.

    Attributes:
        hosts: The names of this server, in lower case; `ANY_HOST` among them for any name.
        picture_bytes: Bytes of the largest encoded picture.
        body_seconds: Seconds without a byte after which the body of a request is given up.
        waiting_bytes: Bytes of all bodies that are held at once.
        rate: Requests per second for which one peer gets answers, on average; 0 for any number.
        at_once: Requests of one peer that are answered at once; 0 for any number.
    """

    hosts: frozenset[str] = LOOPBACK_NAMES
    picture_bytes: int = 10 * 1024 * 1024
    body_seconds: float = 10.0
    waiting_bytes: int = 64 * 1024 * 1024
    rate: float = 200.0
    at_once: int = 128

    @property
    def tensor_bytes(self) -> int:
        """Bytes of the largest request of the Open Inference Protocol: a picture in base64, and what is around it."""
        return self.picture_bytes * 4 // 3 + 1024 * 1024


def hosts_named(names: Sequence[str], *, loopback: bool) -> frozenset[str]:
    """The names of a server.

    A page elsewhere may point a name of its own to this machine, and then read what a server here answers (DNS
    rebinding). So a server is reached under its own names only.

    Args:
        names: Those that its user has given; the names of this machine are always among them.
        loopback: Whether only this machine can reach it. Else it has any name, unless some are given.
    """
    given = frozenset(name.lower().rstrip(".") for name in names)
    if not given and not loopback:
        return frozenset({ANY_HOST})
    return LOOPBACK_NAMES | given
