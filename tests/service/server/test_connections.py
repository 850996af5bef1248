"""Connections that are ended from below gRPC."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from service.server.connections import hang_up, refuse


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def port_of(listener: socket.socket) -> int:
    return listener.getsockname()[1]


def test_a_port_that_is_refused_keeps_its_connections_and_gets_no_new_ones(listener):
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
        refuse(port_of(listener))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname())
        server.sendall(b"answer")
        assert client.recv(6) == b"answer"


def test_what_was_written_arrives_before_the_connection_ends(listener):
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
        client.sendall(b"a request that nobody reads any more")
        server.sendall(b"answer")
        asyncio.run(hang_up(port_of(listener), 0))
        assert client.recv(100) == b"answer"
        assert client.recv(100) == b""


def test_connections_of_other_ports_are_left_alone(listener):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.create_connection(other.getsockname()) as client,
        other.accept()[0] as server,
    ):
        refuse(port_of(listener))
        asyncio.run(hang_up(port_of(listener), 600))  # which has nothing to wait for
        server.sendall(b"answer")
        assert client.recv(6) == b"answer"
        socket.create_connection(other.getsockname()).close()
