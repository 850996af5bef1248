"""The addresses that a client accepts, and what it says about the others."""

import pytest

from core.errors import ConfigError
from service.client.address import target_of


@pytest.mark.parametrize(
    "address", ["localhost:8500", "127.0.0.1:1", "[::1]:8500", "[fe80::1%eth0]:8500", "numeral_service.example:65535"]
)
def test_a_host_and_a_port_are_resolved_by_name(address):
    assert target_of(address) == f"dns:///{address}"


@pytest.mark.parametrize("target", ["dns:///a:1", "dns://1.1.1.1/a:1", "ipv4:1.2.3.4:1,5.6.7.8:1", "unix:/run/numeral"])
def test_a_target_of_grpc_is_left_as_it_is(target):
    assert target_of(target) == target


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("http://localhost:8500", "no scheme and no path: write localhost:8500$"),
        ("http://localhost:8500/v2/models", "write localhost:8500$"),
        ("https://example.org:443", r"write example.org:443 and use TLS \(tls=True, or --tls\)"),
        ("grpc://", "write localhost:8500"),
        ("localhost", "it names no port: write localhost:8500"),
        (":8500", "it names no host: write localhost:8500"),
        ("::1:8500", r"an IPv6 address needs brackets: write \[::1\]:8500"),
        ("localhost:0", "a port is at least 1 and at most 65535"),
        ("localhost:99999", "a port is at least 1 and at most 65535"),
        (" localhost:8500", "remove the space"),
        ("localhost:8500\n", "remove the space"),
        ("localhost:grpc", "a colon and a number"),
        ("", "a colon and a number"),
        (None, "the address is NoneType"),
        (8500, "the address is int"),
        (b"localhost:8500", "the address is bytes"),
    ],
)
def test_another_address_is_refused_with_what_to_write(address, advice):
    with pytest.raises(ConfigError, match=advice):
        target_of(address)


def test_the_error_about_an_address_repeats_little_of_it():
    for address in ("x" * 20_000, f"http://{'x' * 20_000}", f":{'1' * 20_000}"):
        with pytest.raises(ConfigError) as caught:
            target_of(address)
        assert len(str(caught.value)) < 300
