"""Who a call comes from, by gRPC's name of its peer."""

import pytest

from service.api.identity import host_of


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:192.0.2.7:51234", "192.0.2.7"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:51234", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2:ffff::1%5D:80", "2001:db8:1:2::/64"),
        ("ipv6:%5B::1%5D:80", "::/64"),
        ("ipv6:[fe80::1%25eth0]:80", "fe80::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D:80", "192.0.2.7"),
        ("unix:", "unix"),
        ("unix:/run/numeral.sock", "unix"),
        ("", ""),
    ],
)
def test_the_host_of_a_peer_is_its_address_or_its_network(peer, host):
    assert host_of(peer) == host
