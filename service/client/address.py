"""The address of a server: the forms that a user may write, and what gRPC is given for each."""

import re

from core.errors import ConfigError
from service.texts import quoted

__all__ = ["on_this_machine", "target_of"]

_TARGET = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|vsock):")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<place>[^/?#\s]*)\S*")
_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/@\[\]]+):(?P<port>\d+)")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")

LARGEST_PORT = 65535


def target_of(address: object) -> str:
    """The target that gRPC is given for an address.

    Args:
        address: `host:port`, `[IPv6 address]:port`, or a target of gRPC, which begins with the name of its resolver.

    Raises:
        ConfigError: It is none of these; the message says what to write.
    """
    if not isinstance(address, str):
        raise ConfigError(f"the address is {type(address).__name__}, expected text such as localhost:8500")
    if _TARGET.match(address):
        return address
    place = _PLACE.fullmatch(address)
    if place and 0 < int(place["port"]) <= LARGEST_PORT:
        return f"dns:///{address}"
    raise ConfigError(f"the address is {quoted(address)}, expected HOST:PORT; {_advice(address)}")


def on_this_machine(target: str) -> bool:
    """Whether messages to a target stay on this machine."""
    scheme, _, rest = target.partition(":")
    if scheme in ("unix", "unix-abstract"):
        return True
    return all(_LOOPBACK.fullmatch(place) for place in rest.removeprefix("///").split(","))


def _advice(address: str) -> str:
    """The next step for a user who wrote this address."""
    url, place = _URL.fullmatch(address), _PLACE.fullmatch(address)
    if url:
        tls = " and use TLS (tls=True, or --tls)" if url["scheme"].lower() in ("https", "grpcs") else ""
        return f"gRPC addresses have no scheme and no path: write {_short(url['place']) or 'localhost:8500'}{tls}"
    if any(character.isspace() for character in address):
        return "remove the space in it"
    if place:
        return f"a port is at least 1 and at most {LARGEST_PORT}"
    if re.fullmatch(r":\d+", address):
        return f"it names no host: write localhost{_short(address)}"
    if "[" not in address and address.count(":") > 1:
        return "an IPv6 address needs brackets: write [::1]:8500"
    if address and re.fullmatch(r"[\w.-]+", address):
        return f"it names no port: write {_short(address)}:8500"
    return "write a name or an IP address, a colon and a number, such as localhost:8500"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]}…"
