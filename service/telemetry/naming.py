"""The first step of a call: it gets an id, which all of its log lines carry, and the canary key that its client sent.

A client that sends an id finds it in the reply, and a client whose call is refused finds the id beside the reason.
Other replies carry no id: it would only make every call longer.
"""

import itertools
import os
import re
from typing import Any

import grpc

from service.call import canary_key, request_id
from service.wire import CANARY_KEY, REQUEST_ID

__all__ = ["Naming"]

_ACCEPTABLE = re.compile(r"[A-Za-z0-9_.:/+=@-]{1,128}")
"""Any other id is replaced: it must not get into logs."""


class Naming:
    """Gives calls their ids: the one that the client sent, or else a new one."""

    def __init__(self) -> None:
        """Begin to count; new ids are unique to the process."""
        self._prefix = os.urandom(6).hex()
        self._numbers = itertools.count(1)

    def enter(self, _method: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Set the id and the canary key of one call, in the context of its task."""
        named = ""
        for key, value in context.invocation_metadata() or ():
            if key == REQUEST_ID and isinstance(value, str) and _ACCEPTABLE.fullmatch(value):
                named = value
                context.set_trailing_metadata(((REQUEST_ID, named),))
            elif key == CANARY_KEY and isinstance(value, str):
                canary_key.set(value)
        request_id.set(named or f"{self._prefix}-{next(self._numbers)}")
