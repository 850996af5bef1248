"""Ports that several processes of one service share, and no other service."""

import socket

import pytest

from core.errors import ConfigError
from service.server.port import METRICS, reserved


def test_of_two_services_that_start_together_only_one_gets_the_port():
    with (
        reserved("127.0.0.1", 0) as port,  # on which nothing listens yet
        pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"),
        reserved("127.0.0.1", port),
    ):
        pass


def test_the_error_names_what_the_port_is_for_and_the_flags_that_change_it():
    with (
        reserved("127.0.0.1", 0, METRICS) as port,
        pytest.raises(ConfigError, match="for metrics: .* choose another address with --metrics-port"),
        reserved("127.0.0.1", port, METRICS),
    ):
        pass


def test_the_processes_of_one_service_can_listen_on_the_reserved_port():
    with reserved("127.0.0.1", 0) as port, socket.socket() as one, socket.socket() as other:
        for worker in (one, other):
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(("127.0.0.1", port))
            worker.listen()


def test_a_port_whose_last_connections_have_just_been_closed_can_be_reserved():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()  # this side closes first, so it keeps the port for a while (TIME_WAIT)
    with reserved("127.0.0.1", port):
        pass
