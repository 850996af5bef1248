"""Where settings come from, and the errors of invalid ones."""

from typing import get_args

import pytest

from core.errors import ConfigError
from core.shipped import shipped_repository
from service.listening import endpoint
from service.settings import Settings, read
from tests.service.tiny_model import publish


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


def test_the_default_pretrained_version_is_the_one_that_ships(monkeypatch):
    monkeypatch.delenv("NUMERAL_PRETRAINED")
    assert read().pretrained == shipped_repository() is not None
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


NUMBERS = [
    name
    for name, field in Settings.model_fields.items()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
]
TEXTS = [name for name in Settings.model_fields if name not in NUMBERS]
NO_NUMBER_FOR_ANYTHING = ["inf", "-inf", "nan", "1e300", "-1e300", "-1", "9" * 30, "9" * 5000, "٤x"]
NO_TEXT_FOR_ANYTHING = ["a\0b", "a\nb", "a\x1bb", "x" * 100_000]


@pytest.mark.parametrize("value", NO_NUMBER_FOR_ANYTHING, ids=lambda value: value[:10])
@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_bounds_on_both_sides(name, value):
    with pytest.raises(ConfigError, match=f"NUMERAL_{name.upper()} or --") as caught:
        read(**{name: value})
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("value", NO_TEXT_FOR_ANYTHING, ids=["NUL", "line break", "escape", "very long"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_one_line_of_bounded_length(name, value):
    with pytest.raises(ConfigError, match=f"NUMERAL_{name.upper()} or --") as caught:
        read(**{name: value})
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"serve_also"}))
def test_no_text_may_be_empty_if_it_is_given_as_a_flag(name):
    with pytest.raises(ConfigError, match=f"NUMERAL_{name.upper()} or --"):
        read(**{name: ""})


def largest(name):
    """The upper bound of a setting."""
    [bound] = [found.le for found in Settings.model_fields[name].metadata if hasattr(found, "le")]
    return bound


def test_a_server_takes_the_upper_bound_of_every_number(serve, folder, repository, connect):
    publish(repository, seed=1)
    ends_too_late = {"drain_wait_seconds"}  # it sleeps for so long before it stops
    bounds = {name: largest(name) for name in NUMBERS if name not in ends_too_late and "port" not in name}
    client = connect(serve(folder, **bounds).address)
    assert client.health() == "SERVING"


@pytest.mark.parametrize("name", ["repository", "pretrained"])
@pytest.mark.parametrize("value", ["ftp://x", "file:models", "s3:/b/x", "~/m", "C:\\models", "http://x", "s3://"])
def test_a_repository_that_no_store_knows_is_refused_before_anything_listens(name, value):
    with pytest.raises(ConfigError, match=f"NUMERAL_{name.upper()} or --{name}: .*names no repository"):
        read(**{name: value})


@pytest.mark.parametrize("url", ["s3://bucket/feedback", "gs://bucket/feedback", "file:///feedback"])
def test_the_folder_of_feedback_is_no_url(url):
    with pytest.raises(ConfigError, match=f"^--feedback: found a URL, {url}, expected a path"):
        read(feedback=url)


@pytest.mark.parametrize("policy", ["pinned:٤", "pinned:01", "pinned:" + "9" * 4000, "٤", "a" * 101])
def test_a_policy_names_a_version_in_its_one_spelling(policy):
    with pytest.raises(ConfigError, match="expected an alias such as champion, or latest, or a version: pinned:3"):
        read(policy=policy)


def test_a_folder_is_looked_at_more_often_than_a_bucket():
    assert read(repository="./models").poll_interval == read(repository="file:///models").poll_interval == 0.5
    assert read(repository="s3://bucket/models").poll_interval == 5.0
    assert read(repository="s3://bucket/models", poll_seconds=1).poll_interval == 1


def test_an_ipv6_address_is_put_in_brackets():
    assert endpoint("::1", 8500) == "[::1]:8500"
