"""The forms in which `status --metrics` is given."""

import pytest

from core.errors import ConfigError
from service.cli.metrics_url import metrics_url


@pytest.mark.parametrize(
    ("place", "url"),
    [
        (None, "http://127.0.0.1:9090/metrics"),
        ("10.0.0.1:9090", "http://10.0.0.1:9090/metrics"),
        ("numeral.example:9090/metrics", "http://numeral.example:9090/metrics"),
        (":9090", "http://127.0.0.1:9090/metrics"),
        ("[::1]:9090", "http://[::1]:9090/metrics"),
        ("http://localhost:9090", "http://localhost:9090/metrics"),
        ("http://localhost:9090/", "http://localhost:9090/metrics"),
        ("http://localhost:9090/metrics", "http://localhost:9090/metrics"),
        ("https://numeral.example/numeral/metrics", "https://numeral.example/numeral/metrics"),
    ],
)
def test_every_form_names_one_url(place, url):
    assert metrics_url(place) == url


def test_without_a_flag_the_port_of_the_settings_is_used(monkeypatch):
    monkeypatch.setenv("NUMERAL_METRICS_PORT", "1234")
    assert metrics_url(None) == "http://127.0.0.1:1234/metrics"


@pytest.mark.parametrize(
    "place", ["localhost", "localhost:0", ":99999", "ftp://localhost:1", "http://", "a b:1", "x" * 9999]
)
def test_anything_else_is_refused_with_what_to_write(place):
    with pytest.raises(ConfigError, match="expected HOST:PORT, :PORT or http://HOST:PORT"):
        metrics_url(place)
