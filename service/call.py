"""What belongs to one call: its id, its deadline and its canary key while it is under way, and how it ended."""

from contextvars import ContextVar
from time import monotonic
from typing import NamedTuple

import grpc

from service.errors import ExpiredError


class Call(NamedTuple):
    """One call that has ended.

    Attributes:
        method: In full, e.g. `/numeral.v1.Recognizer/Recognize`.
        code: The status that the client was sent.
        seconds: From the first byte of the request to the last of the response; for a stream, how long it was open.
        model_version: The version that answered, or that was asked for; "" where the call got to none.
    """

    method: str
    code: grpc.StatusCode
    seconds: float
    model_version: str = ""


request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the call under way; "" outside of calls."""


canary_key: ContextVar[str] = ContextVar("canary_key", default="")
"""Of the call under way: a canary answers all calls with the same key, or none of them; "" for calls without one."""


expires: ContextVar[float] = ContextVar("expires", default=float("inf"))
"""When nobody waits any more for the answer to the call under way, by `time.monotonic`. Set for every call."""


def check_deadline(expiry: float | None = None) -> None:
    """Go no further with a call that nobody waits for.

    Args:
        expiry: Its `expires`; None for that of the call under way.

    Raises:
        ExpiredError: Its deadline has passed.
    """
    if monotonic() > (expires.get() if expiry is None else expiry):
        raise ExpiredError("the deadline of the call has passed before it was its turn")
