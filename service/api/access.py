"""Access control: the guard that asks calls for tokens, and checks the roles that these give."""

from functools import partial
from typing import Any

import grpc

from service.api.tokens import Tokens, digest_of
from service.call import Permit, client, permit
from service.errors import DeniedError, UnauthenticatedError
from service.quota import quota
from service.roles import Role, role_for

__all__ = ["Guard"]

_Context = grpc.aio.ServicerContext[Any, Any]


class Guard:
    """Refuses calls whose token does not permit the method."""

    def __init__(self, tokens: Tokens) -> None:
        """Guard the methods of a server.

        Args:
            tokens: The valid tokens.
        """
        self._tokens = tokens

    def enter(self, method: str, context: _Context) -> None:
        """Check one call, and note its permit, whose it is, and its quota; see `service.api.interceptor.Step`.

        It is repeated while a stream is open, so that a token that is no longer valid ends it.

        Raises:
            UnauthenticatedError: The call carries no token, or an unknown one, or more than one.
            DeniedError: The token does not permit the method.
        """
        needed = role_for(method)
        if needed is Role.ANYBODY:
            return
        digest = digest_of(_token(context))
        self._check(digest, needed)
        permit.set(Permit(digest, partial(self._check, digest, needed)))
        client.set(digest.hex())
        quota.set(self._tokens.quota_of(digest))

    def _check(self, digest: bytes, needed: Role) -> None:
        """Check whether the token with a digest gives a role now."""
        role = self._tokens.role_of(digest)
        if role is Role.ANYBODY:
            raise UnauthenticatedError("the token is not known to this service; ask its operator for one")
        if role < needed:
            raise DeniedError(
                f"the token has the role {role.name.lower()}, and this method needs {needed.name.lower()}"
            )


def _token(context: _Context) -> bytes:
    """The token that a call carries.

    Of several, none is taken: a proxy may have checked another one than this service would.
    """
    shown = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    if not shown:
        raise UnauthenticatedError("no token; send the metadata `authorization: Bearer TOKEN`")
    if len(shown) > 1:
        raise UnauthenticatedError(f"the metadata hold authorization {len(shown)} times; send it once")
    value = shown[0] if isinstance(shown[0], bytes) else shown[0].encode()
    scheme, _, token = value.partition(b" ")
    if scheme.lower() != b"bearer":
        raise UnauthenticatedError(
            "authorization is not a bearer token; send the metadata `authorization: Bearer TOKEN`"
        )
    token = token.strip()
    if not token:
        raise UnauthenticatedError("the bearer token is empty; send the metadata `authorization: Bearer TOKEN`")
    return token
