"""Where settings come from, and the errors of invalid ones."""

import pytest

from core.errors import ConfigError
from service.settings import PROJECT, Settings, endpoint, read, shipped


def test_the_defaults_serve_a_local_folder_to_this_machine_only():
    settings = read()
    assert (settings.repository, settings.address, settings.log_level) == ("./models", "127.0.0.1:8500", "info")


def test_the_environment_sets_every_field(monkeypatch):
    wanted = {
        "repository": "s3://bucket/models",
        "pretrained": "s3://bucket/pretrained",
        "host": "0.0.0.0",
        "port": 9000,
        "poll_seconds": 2.5,
        "storage_seconds": 12.0,
        "drain_seconds": 1.0,
        "drain_wait_seconds": 0.5,
        "workers": "3",
        "heartbeat_seconds": 2.5,
        "max_waiting": 10,
        "max_waiting_bytes": 4096,
        "max_wait_seconds": 2.5,
        "max_stream_bytes": 8192,
        "max_picture_bytes": 2048,
        "policy": "latest",
        "serve_also": "3,challenger",
        "canary": "challenger:10%",
        "shadow": "4:2.5%",
        "fallback_seconds": 0.0,
        "feedback": "/feedback",
        "feedback_per_second": 0.5,
        "feedback_bytes": 1024,
        "log_level": "error",
        "tls_cert": "server.pem",
        "tls_key": "server.key",
        "tls_client_ca": "clients.pem",
        "allow_insecure": "yes-beyond-this-machine",
        "tokens_file": "tokens",
        "metrics_port": 9090,
        "metrics_host": "0.0.0.0",
        "log_format": "json",
        "access_log": True,
        "max_batch": 64,
        "channelz": True,
    }
    assert wanted.keys() == Settings.model_fields.keys()
    for name, value in wanted.items():
        monkeypatch.setenv(f"NUMERAL_{name.upper()}", str(value))
    assert read().model_dump() == wanted


def test_a_flag_beats_the_environment_and_a_flag_not_given_does_not(monkeypatch):
    monkeypatch.setenv("NUMERAL_PORT", "9000")
    assert read(port=9001).port == 9001
    assert read(port=None).port == 9000


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("NUMERAL_PORT", "")
    assert read().port == 8500


def test_the_default_pretrained_version_is_the_one_beside_the_code_if_it_exists(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMERAL_PRETRAINED")
    assert read().pretrained == shipped(PROJECT)
    assert shipped(tmp_path) is None
    (tmp_path / "pretrained/mnist").mkdir(parents=True)
    assert shipped(tmp_path) == str(tmp_path / "pretrained")
    monkeypatch.setenv("NUMERAL_PRETRAINED", "elsewhere")
    assert read().pretrained == "elsewhere"
    assert read(pretrained="off").pretrained is None


def test_every_field_is_documented():
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"),
        ("port", "70000"),
        ("poll_seconds", "0"),
        ("poll_seconds", "nan"),
        ("storage_seconds", "0"),
        ("storage_seconds", "inf"),
        ("drain_seconds", "-1"),
        ("drain_seconds", "inf"),
        ("max_picture_bytes", "10"),
        ("max_batch", "0"),
        ("policy", "pinned:champion"),
        ("policy", "3"),
        ("serve_also", "3,not a name"),
        ("canary", "challenger"),
        ("canary", "challenger:0%"),
        ("shadow", "challenger:101%"),
        ("workers", "0"),
        ("workers", "many"),
        ("max_waiting", "0"),
        ("max_waiting_bytes", "10"),
        ("drain_wait_seconds", "-1"),
        ("log_level", "loud"),
    ],
)
def test_an_invalid_setting_is_named_with_its_value_in_one_sentence(monkeypatch, name, value):
    monkeypatch.setenv(f"NUMERAL_{name.upper()}", value)
    with pytest.raises(ConfigError) as caught:
        read()
    sentence = str(caught.value)
    assert f"NUMERAL_{name.upper()} or --{name.replace('_', '-')}" in sentence
    assert value in sentence
    assert "\n" not in sentence


def test_a_folder_is_looked_at_more_often_than_a_bucket():
    assert read(repository="./models").poll_interval == read(repository="file:///models").poll_interval == 0.5
    assert read(repository="s3://bucket/models").poll_interval == 5.0
    assert read(repository="s3://bucket/models", poll_seconds=1).poll_interval == 1


def test_an_ipv6_address_is_put_in_brackets():
    assert endpoint("::1", 8500) == "[::1]:8500"
