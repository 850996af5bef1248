"""Who is at this machine: by the address of the connection, by the name that was asked for, and not through a proxy."""

import pytest

from service.web.security.at_this_machine import is_at_this_machine


def request(client="127.0.0.1", hosts=("localhost:8080",), **more):
    headers = [*((b"host", host.encode()) for host in hosts), *((k.encode(), v.encode()) for k, v in more.items())]
    return {"client": (client, 5000) if client else None, "headers": headers}


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_request_from_here_for_a_name_of_this_machine_is_at_it(client, host):
    assert is_at_this_machine(request(client, [host]))


@pytest.mark.parametrize("client", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "unknown", None])
def test_a_request_from_elsewhere_is_not(client):
    assert not is_at_this_machine(request(client))


@pytest.mark.parametrize(
    "hosts", [["evil.example"], ["127.0.0.1.evil.example"], ["local host"], [], ["localhost", "a"]]
)
def test_a_name_that_only_leads_here_is_not_enough(hosts):
    assert not is_at_this_machine(request(hosts=hosts))


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])
def test_what_a_proxy_on_this_machine_forwards_is_not_from_here(header):
    assert not is_at_this_machine(request(**{header: "x"}))
