"""The settings of the web server."""

import re

import pytest

from core.errors import ConfigError
from service.from_environment import read_as
from service.settings import Settings, read
from service.web.web_settings import LARGEST_PICTURE, WebSettings
from tests.service.harness import ROOT

WANTED = {
    "address": "service:8500", "token_file": "token", "token_without_tls": True, "host": "0.0.0.0", "port": 9000,
    "tls_cert": "server.pem", "tls_key": "server.key", "allow_insecure": "yes-beyond-this-machine",
    "allow_host": "numeral.example.org, [::1]", "trust_proxy": "10.0.0.1", "max_picture_bytes": 2048,
    "max_waiting_bytes": 4096, "body_seconds": 2.5, "peer_rate": 0.5, "peer_requests": 3, "drain_seconds": 1.0,
    "log_level": "error", "log_format": "json", "access_log": True,
}  # fmt: skip


def test_the_environment_sets_every_field(monkeypatch):
    assert WANTED.keys() == WebSettings.model_fields.keys()
    for name, value in WANTED.items():
        monkeypatch.setenv(f"NUMERAL_WEB_{name.upper()}", str(value))
    assert read_as(WebSettings).model_dump() == WANTED


def test_a_flag_beats_the_environment_and_a_flag_that_is_not_given_does_not(monkeypatch):
    monkeypatch.setenv("NUMERAL_WEB_PORT", "9000")
    monkeypatch.setenv("NUMERAL_WEB_MAX_PICTURE_BYTES", "2048")
    found = read_as(WebSettings, port=9001, max_picture_bytes=4096, host=None)
    assert (found.port, found.max_picture_bytes, found.host) == (9001, 4096, "127.0.0.1")


def test_the_largest_picture_is_by_default_that_of_the_service(monkeypatch):
    assert read_as(WebSettings).max_picture_bytes == read().max_picture_bytes
    monkeypatch.setenv("NUMERAL_MAX_PICTURE_BYTES", "2048")
    assert read_as(WebSettings).max_picture_bytes == read().max_picture_bytes == 2048
    monkeypatch.setenv("NUMERAL_WEB_MAX_PICTURE_BYTES", "4096")
    assert read_as(WebSettings).max_picture_bytes == 4096
    with pytest.raises(ConfigError):
        read_as(Settings, max_picture_bytes=LARGEST_PICTURE + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("port", "99999"), ("allow_host", "http://a.example"), ("allow_host", "a.example:80"), ("peer_rate", "-1"),
     ("body_seconds", "0"), ("allow_insecure", "yes"), ("max_picture_bytes", "1")],
)  # fmt: skip
def test_an_impossible_value_is_one_sentence_with_the_name_of_the_setting(monkeypatch, field, value):
    monkeypatch.setenv(f"NUMERAL_WEB_{field.upper()}", value)
    with pytest.raises(ConfigError) as caught:
        read_as(WebSettings)
    flag = f"--{field.replace('_', '-')}"
    assert str(caught.value).startswith(f"NUMERAL_WEB_{field.upper()} or {flag}: found '{value}'; ")


def test_the_page_about_the_web_server_lists_exactly_its_settings_with_their_flags():
    page = (ROOT / "docs/web.md").read_text("utf-8")
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]*) \| ([^|]*) \|", table, re.MULTILINE)[1:]
    variables = [name for row in rows for name in re.findall(r"`(NUMERAL_WEB_[A-Z_]+)`", row[0])]
    flags = [name for row in rows for name in re.findall(r"`--([a-z-]+)`", row[1])]
    assert sorted(variables) == sorted(f"NUMERAL_WEB_{name.upper()}" for name in WebSettings.model_fields)
    assert [f"NUMERAL_WEB_{flag.replace('-', '_').upper()}" for flag in flags] == variables
