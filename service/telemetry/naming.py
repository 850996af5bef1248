"""The first step of a call: it gets a name, which is in all that the call logs, and the key that its client gave it.

Who has named his call finds the name in the reply, and whoever is refused finds it beside the reason. The others are
not told: metadata that nobody asked for would only make every call longer.
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
"""What else a client sends goes into no log, and is replaced."""


class Naming:
    """Names calls: as the client has named them, or one by one."""

    def __init__(self) -> None:
        self._prefix = os.urandom(6).hex()  # this process
        self._numbers = itertools.count(1)

    def enter(self, _method: str, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Name one call; the context of its task keeps name and key to its end."""
        named = ""
        for key, value in context.invocation_metadata() or ():
            if key == REQUEST_ID and isinstance(value, str) and _ACCEPTABLE.fullmatch(value):
                named = value
                context.set_trailing_metadata(((REQUEST_ID, named),))
            elif key == CANARY_KEY and isinstance(value, str):
                canary_key.set(value)
        request_id.set(named or f"{self._prefix}-{next(self._numbers)}")
