"""Where the metrics of a service are: what may be written, and what is refused."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from pipelines.canary.address import metrics_address
from pipelines.order import Order
from pipelines.settings import Settings


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("service:9090", "http://service:9090/metrics"),
        (":9090", "http://127.0.0.1:9090/metrics"),
        ("[::1]:9090", "http://[::1]:9090/metrics"),
        ("http://service:9090/", "http://service:9090/metrics"),
        ("https://service", "https://service/metrics"),
        ("https://service/numeral/metrics", "https://service/numeral/metrics"),
    ],
)
def test_a_host_with_a_port_or_a_url_names_the_metrics(text: str, url: str) -> None:
    assert metrics_address(text, place="here") == url


@pytest.mark.parametrize(
    "text", ["", "service", "ftp://service:1", "http://", "http://ada:secret@service:1", "a b:1", "a:99999999"]
)
def test_anything_else_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^here: found .*, expected HOST:PORT or a URL"):
        metrics_address(text, place="here")


def test_the_environment_names_services_and_options_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMERAL_CANARY_SERVICES", "one:1, two:2")
    both = ("http://one:1/metrics", "http://two:2/metrics")
    assert Settings().canary_services == both
    assert Order(data_dir=tmp_path).canary_services == both
    assert Order(data_dir=tmp_path, canary_services=["three:3"]).canary_services == ("http://three:3/metrics",)
    monkeypatch.setenv("NUMERAL_CANARY_SERVICES", "nowhere")
    with pytest.raises(ConfigError, match="^NUMERAL_CANARY_SERVICES: found 'nowhere'"):
        Settings()


def test_an_order_is_made_again_from_its_parameters_with_the_same_services(tmp_path: Path) -> None:
    order = Order(data_dir=tmp_path, canary_services=["one:1"])
    assert Order(**order.parameters).canary_services == order.canary_services
