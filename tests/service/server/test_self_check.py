"""Does a server notice what clients meet at its port?"""

import grpc
import pytest

from service.observer import Observer
from service.server.self_check import SelfCheck
from tests.service.authority import DAY, Authority
from tests.service.bare_server import bare


class Heard(Observer):
    """Remembers what is reported."""

    def __init__(self):
        self.results = []

    def self_checked(self, address, succeeded):
        self.results.append(succeeded)


@pytest.fixture
def listening(tmp_path):
    """How a server listens with a certificate, of which the test says when it is valid."""

    def listening(*, mutual=False, **times):
        authority = Authority(tmp_path)
        certificate = authority.issue(tmp_path / "server.pem", tmp_path / "server.key", **times)
        pair = (tmp_path / "server.key").read_bytes(), certificate
        credentials = grpc.ssl_server_credentials([pair], authority.certificate.read_bytes(), mutual)
        return lambda server: server.add_secure_port("127.0.0.1:0", credentials)

    return listening


def checked(address, times=1):
    heard = Heard()
    check = SelfCheck("0.0.0.0", int(address.rpartition(":")[2]), heard)
    assert [check.run() for _ in range(times)] == heard.results
    return heard.results


@pytest.mark.parametrize("mutual", [False, True])
def test_a_server_with_a_valid_certificate_is_sound_whatever_it_asks_of_clients(listening, caplog, mutual):
    with bare(listen=listening(mutual=mutual)) as (address, _):
        assert checked(address) == [True]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("times", "words"),
    [({"begins": -2 * DAY, "ends": -DAY}, "expired on"), ({"begins": DAY, "ends": 2 * DAY}, "not valid before")],
)
def test_a_certificate_that_clients_refuse_is_logged_once(listening, caplog, times, words):
    with bare(listen=listening(**times)) as (address, _):
        assert checked(address, times=3) == [False] * 3
    [record] = caplog.records
    assert words in record.message


def test_a_port_that_answers_no_handshake_is_logged(caplog, free_port):
    with bare() as (address, _):
        assert checked(address) == [False]
    assert checked(f"127.0.0.1:{free_port}") == [False]
    assert all(" of this service with itself at 127.0.0.1:" in record.message for record in caplog.records)
    assert len(caplog.records) == 2
