"""Connections that are ended from below gRPC."""

import asyncio
import socket
import sys
from collections.abc import Iterator

import grpc
import pytest

from service.server.connections import arrived, hang_up, refuse


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much has arrived")
@pytest.mark.parametrize(
    ("listens", "reached"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]"), ("[::]", "127.0.0.1")]
)
def test_what_has_arrived_is_known_by_the_name_that_grpc_gives_the_peer(listens, reached):
    async def check() -> None:
        async def tell_peer(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            return context.peer().encode()

        server = grpc.aio.server()
        handler = grpc.method_handlers_generic_handler("a", {"peer": grpc.unary_unary_rpc_method_handler(tell_peer)})
        server.add_generic_rpc_handlers((handler,))
        port = server.add_insecure_port(f"{listens}:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"{reached}:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
            peer = (await channel.unary_unary("/a/peer")(bytes(50_000))).decode()
            assert 50_000 < arrived(port)[peer] < 60_000
        await server.stop(None)

    asyncio.run(check())


def test_nothing_has_arrived_before_there_is_a_port():
    assert arrived(None) == {}
