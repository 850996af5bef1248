"""One HTTP exchange with a time limit: no step of it takes longer than the policy allows.

httpx limits the wait for each piece of an answer. It cannot limit the resolution of a host name (`getaddrinfo` takes no
time-out), the sum over all addresses of a host, or an answer that never ends at a byte per second. So the exchange runs
in a daemon thread, and the caller waits for its events here, with a deadline for each step. An exchange that takes too
long is abandoned; its thread notices, or ends with the process.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Self

import httpx

from pipelines.sources.errors import MirrorError, RefusedError, TransientError, UnreachableError

__all__ = ["Exchange", "FetchPolicy"]

QUICK_SECONDS = 1.0
ABANDONED_SECONDS = 0.5  # how often a thread with a full queue checks whether its exchange was abandoned


@dataclass(frozen=True)
class FetchPolicy:
    """Time limits and numbers of attempts for a mirror.

    Attributes:
        connect_seconds: To resolve the name, connect to any of its addresses and agree on TLS, all together.
        stall_seconds: Without a single byte received. `minimum_speed` applies after this time as well.
        minimum_speed: Bytes a second, averaged over the answer.
        attempt_seconds: For the body of one answer.
        attempts: For each file and mirror, after failures that may be temporary.
        backoff_seconds: The wait before the second attempt is a random part of this, then of its double, and so on.
        backoff_limit_seconds: The longest of these waits.
        retry_after_seconds: The longest `Retry-After` that is waited for; a mirror that asks for more is skipped.
        redirects: How many are followed for one request.
    """

    connect_seconds: float = 4.0
    stall_seconds: float = 6.0
    minimum_speed: float = 8 * 1024
    attempt_seconds: float = 300.0
    attempts: int = 3
    backoff_seconds: float = 0.5
    backoff_limit_seconds: float = 5.0
    retry_after_seconds: float = 15.0
    redirects: int = 5


class _Mark(Enum):
    """Events of an exchange that carry no data."""

    CONNECTED = "connected"
    END = "end"


class _AbandonedError(Exception):
    """The caller no longer waits for this exchange."""


_Event = httpx.Response | bytes | MirrorError | _Mark


class Exchange:
    """A GET request that has been sent, and its answer as it arrives. Leaving the context ends the exchange."""

    def __init__(
        self, client: Callable[[], httpx.Client], url: httpx.URL, headers: Mapping[str, str], policy: FetchPolicy
    ) -> None:
        """Send the request. A redirect is an answer like any other.

        Args:
            client: Makes a client. Only the exchange's thread uses and closes it: if one thread closed a socket while
                another reads from it, its file descriptor could belong to another connection a moment later. The
                client's own time-outs end the thread of an abandoned exchange, so they exceed those of the policy.
            url: Of the request.
            headers: Of the request.
            policy: The time limits.
        """
        self._policy = policy
        self._started = time.monotonic()
        self._events: queue.Queue[_Event] = queue.Queue(maxsize=8)
        self._abandoned = threading.Event()
        threading.Thread(target=self._run, args=(client, url, headers), name="mirror-exchange", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandoned.set()

    def response(self) -> httpx.Response:
        """Wait for the status and the headers.

        Raises:
            UnreachableError: There is no connection.
            TransientError: There is a connection, but no answer.
        """
        event = self._next(self._policy.connect_seconds)
        if event is None:
            raise UnreachableError(
                f"could not be reached (no connection within {self._policy.connect_seconds:g} s)", quick=False
            )
        while event is _Mark.CONNECTED:  # twice through a proxy: for the proxy, then for the host behind it
            event = self._next(self._policy.stall_seconds)
        if event is None:
            raise TransientError(f"sent no answer within {self._policy.stall_seconds:g} s")
        if isinstance(event, MirrorError):
            raise event
        if not isinstance(event, httpx.Response):
            raise TypeError(f"{event!r} before the headers")
        return event

    def chunks(self) -> Iterator[bytes]:
        """The body as it is sent, in pieces as they arrive.

        Raises:
            TransientError: The body stalls, is too slow, or breaks off.
        """
        policy, started, received = self._policy, time.monotonic(), 0
        while True:
            elapsed = time.monotonic() - started
            if elapsed > policy.attempt_seconds:
                raise TransientError(f"was not done after {policy.attempt_seconds:g} s and {received:,} bytes")
            if elapsed > policy.stall_seconds and received < elapsed * policy.minimum_speed:
                raise TransientError(f"was too slow: {received:,} bytes in {elapsed:.0f} s")
            event = self._next(policy.stall_seconds)
            if event is None:
                raise TransientError(f"stalled for {policy.stall_seconds:g} s, after {received:,} bytes")
            if event is _Mark.END:
                return
            if isinstance(event, MirrorError):
                raise event
            if isinstance(event, bytes):
                received += len(event)
                yield event

    def _next(self, seconds: float) -> _Event | None:
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def _translated(self, error: Exception) -> MirrorError:
        """The error as a `MirrorError`. Even an unforeseen one concerns this mirror alone, never the next."""
        match error:
            case httpx.UnsupportedProtocol() | httpx.InvalidURL():
                return RefusedError(f"leads to an address that cannot be fetched: {error}")
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
                quick = time.monotonic() - self._started < QUICK_SECONDS
                return UnreachableError(f"could not be reached ({error})", quick=quick)
            case httpx.TransportError() | OSError():
                return TransientError(f"broke off: {error or type(error).__name__}")
        return RefusedError(f"cannot be fetched: {type(error).__name__}: {error}")

    def _run(self, client: Callable[[], httpx.Client], url: httpx.URL, headers: Mapping[str, str]) -> None:
        """Run in the daemon thread, and report every event."""
        with suppress(_AbandonedError):
            try:
                with _set_up(client) as connected:
                    self._report_all(connected, url, headers)
                self._report(_Mark.END)
            except MirrorError as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001 - not swallowed: raised as a MirrorError in the thread that waits
                reason = self._translated(error)
                reason.__cause__ = error
                self._report(reason)

    def _report_all(self, client: httpx.Client, url: httpx.URL, headers: Mapping[str, str]) -> None:
        with client.stream("GET", url, headers=headers, extensions={"trace": self._trace}) as response:
            self._report(response)
            for chunk in response.iter_raw():
                self._report(chunk)

    def _trace(self, step: str, _: Mapping[str, Any]) -> None:
        """Called by httpx at each of its steps; it sends headers as soon as it has a connection, new or reused."""
        if step.endswith("send_request_headers.started"):
            self._report(_Mark.CONNECTED)

    def _report(self, event: _Event) -> None:
        while not self._abandoned.is_set():
            try:
                self._events.put(event, timeout=ABANDONED_SECONDS)
                return
            except queue.Full:
                continue
        raise _AbandonedError


def _set_up(client: Callable[[], httpx.Client]) -> httpx.Client:
    """Make the client. A wrong proxy or TLS setting in the environment makes a mirror unreachable, and no worse."""
    try:
        return client()
    except Exception as error:
        raise UnreachableError(
            f"could not be reached with the proxy or TLS settings of the environment ({error})", quick=False
        ) from error
