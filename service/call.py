"""What belongs to one call: its context while it is in flight, and its record once it has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from time import monotonic
from typing import NamedTuple

import grpc

from service.errors import ExpiredError

__all__ = [
    "Call",
    "Permit",
    "canary_key",
    "check_deadline",
    "check_permit",
    "client",
    "expires",
    "permit",
    "request_id",
    "within",
]

# While the call is in flight, in the context of its task:

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current call; "" outside of calls."""

canary_key: ContextVar[str] = ContextVar("canary_key", default="")
"""The canary key of the current call; "" if the client sent none. See `service.wire.CANARY_KEY`."""

client: ContextVar[str] = ContextVar("client", default="")
"""Who is calling: the digest of the call's token, or else the host that it comes from; "" outside of calls."""

expires: ContextVar[float] = ContextVar("expires", default=float("inf"))
"""The deadline of the current call, by `time.monotonic`; infinite if the client set none."""


class Permit(NamedTuple):
    """What let a call in.

    Attributes:
        token: The sha256 digest of its token.
        check: Raises UnauthenticatedError or DeniedError if the token no longer permits the call. Takes microseconds.
    """

    token: bytes
    check: Callable[[], None]


permit: ContextVar[Permit | None] = ContextVar("permit", default=None)
"""The permit of the current call; None if calls need no token."""


def check_permit() -> None:
    """Stop a call whose token has been revoked since it began; for streams, which may stay open for hours.

    Raises:
        UnauthenticatedError: The token is no longer known.
        DeniedError: The token no longer permits the method.
    """
    held = permit.get()
    if held:
        held.check()


def check_deadline(expiry: float | None = None) -> None:
    """Stop work on a call whose deadline has passed.

    Args:
        expiry: The call's `expires`; None for that of the current call.

    Raises:
        ExpiredError: The deadline has passed.
    """
    if monotonic() > (expires.get() if expiry is None else expiry):
        raise ExpiredError


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Give a part of the present call a deadline of its own; that of the call holds if it is earlier.

    Args:
        seconds: From now.

    Raises:
        ExpiredError: The deadline has passed. What was done until then is in vain.
    """
    expiry = min(expires.get(), monotonic() + seconds)
    before = expires.set(expiry)
    try:
        async with asyncio.timeout(expiry - monotonic()):
            yield
            check_deadline()
    except TimeoutError as error:
        raise ExpiredError from error
    finally:
        expires.reset(before)


# Once the call has ended:


class Call(NamedTuple):
    """A call that has ended.

    Attributes:
        method: The full name of the method, e.g. `/numeral.v1.Recognizer/Recognize`.
        code: The status that was sent to the client.
        seconds: From the first byte of the request to the last byte of the response; for a stream, how long it was
            open.
        model_version: The version that answered, or that was asked for; "" if the call got no further.
    """

    method: str
    code: grpc.StatusCode
    seconds: float
    model_version: str = ""
