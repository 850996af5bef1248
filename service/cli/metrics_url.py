"""Where the metrics of a server are: the forms that a user may write."""

import os
import re

from core.errors import ConfigError
from service.texts import quoted

__all__ = ["metrics_url"]

_FORM = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]*)(?::(?P<port>\d{1,5}))?(?P<path>/\S*)?"
)

LARGEST_PORT = 65535


def metrics_url(place: str | None) -> str:
    """The URL of the metrics.

    Args:
        place: `host:port`, `:port` for this machine, or a URL, with or without its path; None for this machine and the
            port of the settings, which are not read themselves, for speed: see `service.cli.commands.main`.

    Raises:
        ConfigError: It is none of these.
    """
    place = place or f":{os.environ.get('NUMERAL_METRICS_PORT') or 9090}"
    found = _FORM.fullmatch(place)
    has_port = found and found["port"] and 0 < int(found["port"]) <= LARGEST_PORT
    if not found or not (has_port or (found["scheme"] and found["host"] and not found["port"])):
        raise ConfigError(
            f"--metrics {quoted(place)}: expected HOST:PORT, :PORT or http://HOST:PORT, such as 127.0.0.1:9090"
        )
    port = f":{found['port']}" if found["port"] else ""
    path = found["path"] if found["path"] not in (None, "/") else "/metrics"
    return f"{found['scheme'] or 'http'}://{found['host'] or '127.0.0.1'}{port}{path}"
