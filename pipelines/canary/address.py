"""Where the metrics of a service are."""

from urllib.parse import urlsplit, urlunsplit

from core.errors import ConfigError

__all__ = ["metrics_address"]

_PATH = "/metrics"
_EXPECTED = "expected HOST:PORT or a URL, such as service:9090 or http://service:9090/metrics"


def metrics_address(text: str, *, place: str) -> str:
    """The URL of the metrics that somebody names: `HOST:PORT`, `:PORT`, or a URL with or without `/metrics`.

    Args:
        text: What was given.
        place: Where it stands, for messages.

    Raises:
        ConfigError: It names none.
    """
    named = f"127.0.0.1{text}" if text.startswith(":") else text
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or "://" in named)
    except ValueError:  # an impossible port, or brackets that do not close
        sound = False
    if not sound or parts.username is not None or not text.isprintable() or " " in text:
        raise ConfigError(f"{place}: found {text!r}, {_EXPECTED}")
    path = _PATH if parts.path in ("", "/") else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
