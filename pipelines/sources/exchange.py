"""One HTTP exchange by the clock: no step of it lasts longer than the policy allows.

httpx bounds the wait for each piece of an answer. It cannot bound the resolution of a host's name (`getaddrinfo` takes
no time-out), the sum over all addresses of a host, or a server that drips a byte a second for ever. So the exchange
runs in a daemon thread, and the one who wants its bytes waits for them here, with a deadline for each step. An exchange
that takes too long is left behind; its thread notices, or ends with the process.
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

from core.errors import SourceError

__all__ = [
    "AbsentError",
    "Exchange",
    "FetchPolicy",
    "MirrorError",
    "RefusedError",
    "TransientError",
    "UnreachableError",
]

QUICK_SECONDS = 1.0
LEFT_BEHIND_SECONDS = 0.5  # between two looks of a thread with a full queue at whether anybody still listens


@dataclass(frozen=True)
class FetchPolicy:
    """How long a mirror is given, and how often.

    Attributes:
        connect_seconds: To resolve the name, connect to any of its addresses and agree on TLS, all together.
        stall_seconds: Without a single byte. Also the grace before `minimum_speed` counts.
        minimum_speed: Bytes a second, averaged over the answer.
        attempt_seconds: For the body of one answer.
        attempts: For each file and mirror, while a failure may get better.
        backoff_seconds: The wait before the second attempt is a random part of this, then of its double, and so on.
        backoff_limit_seconds: The longest of these waits.
        retry_after_seconds: The longest `Retry-After` that is waited for; a mirror that asks for more is passed over.
        redirects: Followed for one request.
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


class MirrorError(SourceError):
    """Why one mirror did not deliver one file. The message continues a sentence that begins with the mirror's name."""


class AbsentError(MirrorError):
    """The mirror does not have this file under this name."""


class RefusedError(MirrorError):
    """The mirror's answer is final, and useless."""


class TransientError(MirrorError):
    """The mirror failed in a way that may get better.

    Attributes:
        retry_after: Seconds that the mirror asks to wait, 0 when it does not say.
    """

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(MirrorError):
    """The mirror's host cannot be resolved or connected.

    Attributes:
        quick: This showed at once, so that a second look costs little.
    """

    def __init__(self, message: str, *, quick: bool) -> None:
        super().__init__(message)
        self.quick = quick


class _Mark(Enum):
    """Steps of an exchange that carry no data."""

    CONNECTED = "connected"
    END = "end"


class _LeftBehindError(Exception):
    """Nobody waits for this exchange any more."""


_Event = httpx.Response | bytes | MirrorError | _Mark


class Exchange:
    """A GET request that has been sent, and its answer as it comes. A context manager: leaving it ends the exchange."""

    def __init__(
        self, client: Callable[[], httpx.Client], url: httpx.URL, headers: Mapping[str, str], policy: FetchPolicy
    ) -> None:
        """Send the request. Redirects are answers like any other.

        Args:
            client: Makes a client. The exchange's thread alone uses and closes it: a socket that one thread closes
                while another reads from it may be somebody else's a moment later. Its own time-outs end the thread
                of an exchange that was left behind, so they are longer than those of the policy.
            url: What to ask for.
            headers: What to ask with.
            policy: The deadlines.
        """
        self._policy = policy
        self._started = time.monotonic()
        self._events: queue.Queue[_Event] = queue.Queue(maxsize=8)
        self._left = threading.Event()
        threading.Thread(target=self._run, args=(client, url, headers), name="mirror-exchange", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()

    def response(self) -> httpx.Response:
        """Wait for the status and the headers.

        Raises:
            UnreachableError: No connection.
            TransientError: A connection, but no answer.
        """
        event = self._next(self._policy.connect_seconds)
        if event is None:
            raise UnreachableError(f"no connection within {self._policy.connect_seconds:g} s", quick=False)
        while event is _Mark.CONNECTED:  # through a proxy twice: with the proxy, then with the host behind it
            event = self._next(self._policy.stall_seconds)
        if event is None:
            raise TransientError(f"no answer within {self._policy.stall_seconds:g} s")
        if isinstance(event, MirrorError):
            raise event
        if not isinstance(event, httpx.Response):
            raise TypeError(f"{event!r} before the headers")
        return event

    def chunks(self) -> Iterator[bytes]:
        """The body as it was sent, in pieces as they arrive.

        Raises:
            TransientError: It stalls, is too slow, or breaks off.
        """
        policy, started, received = self._policy, time.monotonic(), 0
        while True:
            elapsed = time.monotonic() - started
            if elapsed > policy.attempt_seconds:
                raise TransientError(f"not done after {policy.attempt_seconds:g} s, {received:,} bytes")
            if elapsed > policy.stall_seconds and received < elapsed * policy.minimum_speed:
                raise TransientError(f"too slow: {received:,} bytes in {elapsed:.0f} s")
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
        """The reason, as one of ours. Even an error that nobody thought of is this mirror's, and stops no other."""
        match error:
            case httpx.UnsupportedProtocol() | httpx.InvalidURL():
                return RefusedError(f"leads to an address that cannot be fetched: {error}")
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.ProxyError():
                quick = time.monotonic() - self._started < QUICK_SECONDS
                return UnreachableError(f"cannot be reached: {error}", quick=quick)
            case httpx.TransportError() | OSError():
                return TransientError(f"broke off: {error or type(error).__name__}")
        return RefusedError(f"cannot be fetched: {type(error).__name__}: {error}")

    def _run(self, client: Callable[[], httpx.Client], url: httpx.URL, headers: Mapping[str, str]) -> None:
        """In the daemon thread: tell every step."""
        with suppress(_LeftBehindError):
            try:
                with _set_up(client) as connected:
                    self._tell_all(connected, url, headers)
                self._tell(_Mark.END)
            except MirrorError as error:
                self._tell(error)
            except Exception as error:  # noqa: BLE001 - not swallowed: raised, as one of ours, in the thread that waits
                reason = self._translated(error)
                reason.__cause__ = error
                self._tell(reason)

    def _tell_all(self, client: httpx.Client, url: httpx.URL, headers: Mapping[str, str]) -> None:
        with client.stream("GET", url, headers=headers, extensions={"trace": self._trace}) as response:
            self._tell(response)
            for chunk in response.iter_raw():
                self._tell(chunk)

    def _trace(self, step: str, _: Mapping[str, Any]) -> None:
        """httpx tells its steps; the headers are sent as soon as there is a connection, new or kept."""
        if step.endswith("send_request_headers.started"):
            self._tell(_Mark.CONNECTED)

    def _tell(self, event: _Event) -> None:
        while not self._left.is_set():
            try:
                self._events.put(event, timeout=LEFT_BEHIND_SECONDS)
                return
            except queue.Full:
                continue
        raise _LeftBehindError


def _set_up(client: Callable[[], httpx.Client]) -> httpx.Client:
    """A proxy or certificates that the environment names wrongly make a mirror unreachable, and nothing worse."""
    try:
        return client()
    except Exception as error:
        raise UnreachableError(
            f"cannot be reached with the proxy or TLS settings of the environment: {error}", quick=False
        ) from error
