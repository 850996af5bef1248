"""What one address may ask for. The clients come through a proxy on this machine, which says who they are."""

import threading

import pytest
from starlette.middleware import Middleware

from service.web.security.limits import Limits
from service.web.security.peers import MOST_PEERS, Peers, peer_of
from tests.patience import eventually
from tests.service.web.security.guarded import guarded


def of(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_an_address_that_asks_too_often_is_told_when_to_come_back_and_others_are_not():
    with guarded(
        Middleware(Peers, Limits(rate=0.001))
    ) as server:  # one request, and then none for a quarter of an hour
        assert server.ask("GET", "/page/measure", headers=of("203.0.113.5"))[0] == 200
        status, headers, found = server.ask("GET", "/page/measure", headers=of("203.0.113.5"))
        assert (status, found["kind"]) == (429, "TooManyError")
        assert 900 < int(headers["retry-after"]) <= 1000
        assert server.ask("GET", "/v2/measure", headers=of("203.0.113.5"))[0] == 200
        assert server.ask("GET", "/page/measure", headers=of("203.0.113.6"))[0] == 200
        assert [server.ask("GET", "/page/measure")[0] for _ in range(5)] == [200] * 5, "this machine is not limited"


def test_an_address_has_no_more_requests_in_flight_than_it_may():
    with guarded(Middleware(Peers, Limits(rate=0, at_once=2))) as server:
        asking = [
            threading.Thread(target=server.ask, args=("GET", "/page/wait", None, of("203.0.113.5"))) for _ in range(2)
        ]
        for each in asking:
            each.start()
        eventually(lambda: server.ask("GET", "/page/waiting")[2] == {"waiting": 2})
        assert server.ask("GET", "/page/measure", headers=of("203.0.113.5"))[0] == 429
        assert server.ask("GET", "/v2/measure", headers=of("203.0.113.5"))[0] == 429
        assert server.ask("GET", "/page/measure", headers=of("203.0.113.6"))[0] == 200
        server.ask("GET", "/page/release")
        for each in asking:
            each.join(60)
        assert server.ask("GET", "/page/measure", headers=of("203.0.113.5"))[0] == 200


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("unknown", "unknown"),
    ],
)
def test_an_address_of_ipv6_counts_as_its_site_and_this_machine_not_at_all(address, name):
    assert peer_of((address, 1)) == name


def test_the_addresses_that_are_remembered_are_bounded():
    peers = Peers(None, Limits())
    for number in range(MOST_PEERS + 100):
        peers._known(f"address {number}")
    assert len(peers._peers) == MOST_PEERS
    assert "address 0" not in peers._peers
