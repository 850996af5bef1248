"""Who asks, and what is told to the service about them.

A client's own token is passed on. Without one, the web server's own token is used, except for what only administrators
may do: the web server would lend its rights to everybody who can reach it.
"""

import re
from collections.abc import Mapping
from typing import Any

from service.client.address import on_this_machine
from service.client.connection import Connection
from service.roles import INFERENCE, METHODS, Role
from service.web.rest.http_error import HttpError
from service.web.security.at_this_machine import is_at_this_machine
from service.web.upstream import Upstream
from service.wire import CANARY_KEY, REQUEST_ID

__all__ = ["Callers", "Metadata", "check_headers", "name_of"]

_TOKEN = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]{1,4096}) *")
_ID = re.compile(rb"[A-Za-z0-9_.:/+=@-]{1,128}")  # as the service accepts it
_KEY = re.compile(rb"[ -~]{1,256}")

ONCE = (
    b"authorization",
    b"content-length",
    b"content-encoding",
    b"inference-header-content-length",
)
"""Headers of which two would contradict each other."""

Metadata = tuple[tuple[str, str], ...]


class Callers:
    """Decides what calls of the service carry."""

    def __init__(self, upstream: Upstream) -> None:
        """For calls to one service; its connection gets another token now and then."""
        self._upstream = upstream

    def metadata(self, headers: Mapping[bytes, bytes]) -> Metadata:
        """What a call for a request carries.

        Args:
            headers: The headers of the request.

        Raises:
            HttpError: It has an authorization that is no bearer token (401), or whose token would be sent on in clear
                text (403).
        """
        connection = self._upstream.connection
        metadata = connection.metadata
        if (shown := headers.get(b"authorization")) is not None:
            token = _TOKEN.fullmatch(shown)
            if token is None:
                raise HttpError(
                    401,
                    "this is not a bearer token; send the header `Authorization: Bearer TOKEN`",
                    (b"www-authenticate", b"Bearer"),
                )
            if not _confidential(connection):
                raise HttpError(
                    403,
                    "the web server would send your token to the service in clear text; its operator has to connect "
                    "it to the service with TLS",
                )
            others = tuple(pair for pair in metadata if pair[0] != "authorization")
            metadata = (("authorization", f"Bearer {token[1].decode()}"), *others)
        if (name := name_of(headers)) is not None:
            metadata += ((REQUEST_ID, name.decode()),)
        if (key := headers.get(CANARY_KEY.encode())) is not None and _KEY.fullmatch(key):
            metadata = (*(pair for pair in metadata if pair[0] != CANARY_KEY), (CANARY_KEY, key.decode()))
        return metadata

    def check_lent(self, method: str, headers: Mapping[bytes, bytes], scope: Mapping[str, Any]) -> None:
        """Check that a call without a token of its own needs none of an administrator.

        Where the service asks for no token, whoever is on this machine may do all: as with the service itself.

        Args:
            method: The method of the service.
            headers: The headers of the request.
            scope: The request.

        Raises:
            HttpError: It does (401).
        """
        if METHODS[INFERENCE][method].role <= Role.PREDICT or b"authorization" in headers:
            return
        if _has_token(self._upstream.connection):
            sentence = "this needs an administrator's token; send the header `Authorization: Bearer TOKEN`"
        elif not is_at_this_machine(scope):
            sentence = (
                "from another machine this needs an administrator's token; send the header `Authorization: Bearer "
                "TOKEN`, and have the service check tokens"
            )
        else:
            return
        raise HttpError(401, sentence, (b"www-authenticate", b"Bearer"))


def name_of(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The id that a client gives its request; None for none, or for one that the service would replace."""
    name = headers.get(b"x-request-id")
    return name if name is not None and _ID.fullmatch(name) else None


def check_headers(headers: Mapping[bytes, bytes], scope: Mapping[str, Any]) -> None:
    """Check that headers do not contradict each other.

    Raises:
        HttpError: One of them occurs twice (400).
    """
    if len(headers) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"]]
        for name in ONCE:
            if names.count(name) > 1:
                raise HttpError(400, f"the request has the header {name.decode().title()} more than once")


def _has_token(connection: Connection) -> bool:
    return any(key == "authorization" for key, _ in connection.metadata)


def _confidential(connection: Connection) -> bool:
    """Whether a token may be sent. If its own one goes in clear text to another machine, its operator decided so."""
    return connection.credentials is not None or on_this_machine(connection.target) or _has_token(connection)
