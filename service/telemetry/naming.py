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
from service.errors import RequestError
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
        """Set the id and the canary key of one call, in the context of its task.

        Raises:
            RequestError: There are several canary keys, of which each may ask for another version.
        """
        named: list[str] = []
        keys: list[str] = []
        for key, value in context.invocation_metadata() or ():
            if key == REQUEST_ID:
                named.append(value if isinstance(value, str) else "")
            elif key == CANARY_KEY and isinstance(value, str):
                keys.append(value)
        # An id of two is no id: the log would name a call otherwise than another part of the system does.
        if len(named) == 1 and _ACCEPTABLE.fullmatch(named[0]):
            context.set_trailing_metadata(((REQUEST_ID, named[0]),))
            request_id.set(named[0])
        else:
            request_id.set(f"{self._prefix}-{next(self._numbers)}")
        if len(keys) > 1:
            raise RequestError(f"the metadata hold {CANARY_KEY} {len(keys)} times; send it once")
        if keys:
            canary_key.set(keys[0])
