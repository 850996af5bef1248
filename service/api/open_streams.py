"""The streams that are open: what they may hold together, and whether their clients may still use them."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

from core.errors import NumeralError
from service.api.budget import Budget
from service.api.receiving import Receiving
from service.api.requests import Requests

__all__ = ["OpenStreams"]

CHECK_SECONDS = 1.0
"""How often the checks are repeated; as often as the file of tokens is looked at, see `service.api.access`."""

T = TypeVar("T")

_Context = grpc.aio.ServicerContext[Any, Any]
_Check = Callable[[str, _Context], None]


class OpenStreams:
    """Opens streams, and ends those that a check refuses later: a client may keep a stream open for days."""

    def __init__(self, budget: Budget, checks: Iterable[_Check] = (), receiving: Receiving | None = None) -> None:
        """No stream is open yet.

        Args:
            budget: What all streams may hold together.
            checks: Repeated while a stream is open: the full name of the method, and the call → an error, if any.
            receiving: Reads the messages; None to do so without a limit of what arrives.
        """
        self._budget = budget
        self._checks = tuple(checks)
        self._receiving = receiving or Receiving()
        self._open: set[Requests[Any]] = set()
        self._next: asyncio.TimerHandle | None = None

    @contextmanager
    def requests(self, method: str, context: _Context, parse: Callable[[bytes], T]) -> Iterator[Requests[T]]:
        """The requests of a stream, for as long as the context lasts. To be called in the task of the call."""
        with Requests(method, context, parse, self._budget, self._receiving) as requests:
            self._open.add(requests)
            if self._checks and self._next is None:
                self._schedule()
            try:
                yield requests
            finally:
                self._open.discard(requests)

    def _schedule(self) -> None:
        self._next = asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check)

    def _check(self) -> None:
        self._next = None
        for requests in tuple(self._open):
            try:
                for check in self._checks:
                    check(requests.method, requests.context)
            except NumeralError as error:
                requests.end(error)
        if self._open:
            self._schedule()
