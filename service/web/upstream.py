"""The service, as the web server reaches it: calls carry the token of whom they are for, and pictures are spread.

A service with several worker processes answers all calls of a connection in one of them. The pictures of everybody who
draws would keep a single worker busy, so they go over several connections, each time over the one that will probably
answer first: the system may put more of the connections on one worker than on another. All other calls share one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import exp
from time import monotonic

import grpc

from service.client import AsyncRecognizer, ServiceError
from service.client.connection import Connection

__all__ = ["Upstream"]

CONNECTIONS = 16
"""Over which pictures are spread: enough that all workers of a service get some, wherever the system puts each."""

MEMORY = 1.0
"""Seconds after which little is left of the latency that was measured."""

REFUSED = 1.0
"""Seconds that a call which the service has not answered counts for in addition. A worker that refuses calls because it
is busy does so at once, and would otherwise look like the fastest one."""


class _Way:
    """One connection for pictures, and how long its answers take."""

    def __init__(self, client: AsyncRecognizer) -> None:
        self.client, self.in_flight = client, 0
        self._latency, self._at = 0.0, 0.0  # seconds that an answer has lately taken, and when that was known

    def cost(self) -> float:
        """How long one more call will take, about.

        The latency is an exponentially weighted mean, which is also forgotten with time, so that a way that was slow
        is tried again ("Peak EWMA", from Finagle). Beside it stands a millisecond, so that calls in flight count for
        a way that has not been used lately.
        """
        return (self.in_flight + 1) * (0.001 + self._latency * exp((self._at - monotonic()) / MEMORY))

    def ended(self, began: float, now: float) -> None:
        """A call has ended, in whatever way."""
        share = exp((self._at - now) / MEMORY)
        self._latency, self._at = self._latency * share + (now - began) * (1 - share), now


class Upstream:
    """Clients of one service. gRPC shares one connection among those that differ in their token alone."""

    def __init__(self, connect: Callable[..., AsyncRecognizer], connection: Connection) -> None:
        """Connect at the first call.

        Args:
            connect: Makes a client that sends a token, or None for that of the web server; further arguments are
                those of `AsyncRecognizer`.
            connection: The service, with the token of the web server itself.
        """
        self._connect = connect
        self.connection = connection
        self.own = connect(None)
        """With the token of the web server itself: for what anybody may ask."""
        self._channel: grpc.aio.Channel | None = None
        self._ways = [_Way(connect(None, own_connection=True)) for _ in range(CONNECTIONS)]

    @contextmanager
    def for_a_picture(self) -> Iterator[AsyncRecognizer]:
        """A client for one call about a picture, with the token of the web server: the one that will answer first."""
        way = min(self._ways, key=_Way.cost)
        began = monotonic()
        way.in_flight += 1
        try:
            yield way.client
        except ServiceError:
            began -= REFUSED
            raise
        finally:
            way.in_flight -= 1
            way.ended(began, monotonic())

    def with_token(self, token: str) -> AsyncRecognizer:
        """A client that sends this token; whoever asks for it closes it."""
        return self._connect(token)

    def channel(self) -> grpc.aio.Channel:
        """For calls that no client makes. It belongs to the event loop that runs when it is first asked for."""
        if self._channel is None:
            self._channel = self.connection.aio_channel()
        return self._channel

    def use_token(self, token: str, *, token_without_tls: bool = False) -> None:
        """From the next call on, the web server's own token is another one.

        Raises:
            ConfigError: It is no token, or would go to another machine in clear text.
        """
        self.connection = self.connection.with_token(token, token_without_tls=token_without_tls)
        for client in (self.own, *(way.client for way in self._ways)):
            client.use_token(token, token_without_tls=token_without_tls)

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        for client in (self.own, *(way.client for way in self._ways)):
            await client.close()
        if self._channel:
            await self._channel.close()
