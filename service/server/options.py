"""The options that gRPC's server gets."""

from service.settings import Settings

__all__ = ["ENVELOPE_BYTES", "PING_SECONDS", "options_of"]

PING_SECONDS = 10
"""Seconds that a client must leave between two keepalive pings on a connection."""

ENVELOPE_BYTES = 64 * 1024
"""The most bytes of a request beside its pictures."""

CONNECTIONS = (
    ("grpc.max_concurrent_streams", 256),  # beyond that, the calls of one client wait at the client
    # A peer that vanished without closing its connection is noticed within a minute, and its resources are freed.
    ("grpc.keepalive_time_ms", 40_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ping as well, at most every ten seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_SECONDS * 1000),
    # A long-lived connection is closed now and then, so that its client connects again and may reach another process,
    # or another server behind the same name. The calls in flight are finished first, however long they take.
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.max_connection_idle_ms", 900_000),
    # Of a stream that is not read, no more than this is received; and not megabytes, as gRPC would on fast connections.
    # A message that is being read may be larger.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 64 * 1024),
)
"""gRPC's options for connections: slow and dead clients must not hold resources for long."""


def options_of(settings: Settings, processes: int) -> list[tuple[str, int]]:
    """The options of a server.

    Args:
        settings: As `service.settings.read` gives them.
        processes: How many processes listen on the port.
    """
    return [
        ("grpc.max_receive_message_length", settings.largest_request + ENVELOPE_BYTES),
        ("grpc.enable_channelz", int(settings.channelz)),
        # Without this, a second server on the same port would silently receive half of the calls.
        ("grpc.so_reuseport", int(processes > 1)),
        *CONNECTIONS,
    ]
