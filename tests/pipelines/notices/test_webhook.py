"""Notices delivered to a real HTTP server that verifies their signatures."""

import base64
import os
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from core.errors import ConfigError
from pipelines.notices.announcer import Announcer, webhook_of
from pipelines.notices.notice import Notice
from pipelines.notices.webhook import Delivery, Webhook, WebhookError
from pipelines.settings import Settings
from tests.pipelines.notices.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
QUICK = Delivery(attempts=3, backoff_seconds=0.01)
PROMOTED = Notice(
    kind="promoted",
    repository="s3://bucket/models",
    recipe="mlp",
    reason="validation accuracy 97.50%",
    version=7,
    metrics={"test_accuracy": 0.98},
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(SECRET) as receiver:
        yield receiver


def webhook(receiver: Receiver, secret: str = SECRET) -> Webhook:
    return Webhook.of(receiver.url, secret, place="here", delivery=QUICK)


def test_a_notice_arrives_signed_with_its_kind_time_and_details(receiver: Receiver) -> None:
    webhook(receiver).send(PROMOTED)
    assert receiver.received == [
        {
            "type": "numeral.model.promoted",
            "timestamp": PROMOTED.at.isoformat(),
            "data": {
                "repository": "s3://bucket/models",
                "recipe": "mlp",
                "reason": "validation accuracy 97.50%",
                "version": 7,
                "metrics": {"test_accuracy": 0.98},
                "page": None,
            },
        }
    ]


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    webhook(receiver).send(PROMOTED)
    assert len(receiver.received) == 1
    assert len(receiver.ids) == 3
    assert len(set(receiver.ids)) == 1


def test_two_notices_have_different_ids(receiver: Receiver) -> None:
    hook = webhook(receiver)
    hook.send(PROMOTED)
    hook.send(PROMOTED)
    assert len(set(receiver.ids)) == 2


def test_a_receiver_that_always_fails_is_given_up_after_the_last_attempt(receiver: Receiver) -> None:
    receiver.answers = [500] * 9
    with pytest.raises(WebhookError, match="answered 500"):
        webhook(receiver).send(PROMOTED)
    assert len(receiver.ids) == 3


def test_a_signature_with_another_secret_is_refused_and_not_repeated(receiver: Receiver) -> None:
    with pytest.raises(WebhookError, match="answered 401 Unauthorized, expected 2xx"):
        webhook(receiver, OTHER_SECRET).send(PROMOTED)
    assert receiver.forged == 1


def test_a_redirect_is_not_followed_as_it_might_leave_the_operators_network(receiver: Receiver) -> None:
    receiver.answers = [302]
    with pytest.raises(WebhookError, match="answered 302"):
        webhook(receiver).send(PROMOTED)
    assert len(receiver.ids) == 1


def test_a_receiver_that_is_down_fails_no_run_and_its_token_is_not_logged() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/hooks?token=hidden"
        said: list[str] = []
        heard: list[Notice] = []
        hook = Webhook.of(url, SECRET, place="here", delivery=QUICK)
        Announcer([hook.send, heard.append], said.append).announce(PROMOTED)
    (sentence,) = said
    assert sentence.startswith("notice numeral.model.promoted not delivered: webhook at 127.0.0.1: ")
    assert "hidden" not in sentence
    assert heard == [PROMOTED]


def test_a_notice_is_delivered_though_the_answer_never_ends(receiver: Receiver) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.end_headers()
        while not receiver.left.is_set():
            handler.wfile.write(bytes(1000))

    receiver.answers, receiver.rest = [200], endless
    webhook(receiver).send(PROMOTED)
    assert len(receiver.received) == 1


def test_a_notice_is_delivered_though_the_answers_body_is_broken(receiver: Receiver) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(b"not gzip")

    receiver.answers, receiver.rest = [200], broken
    webhook(receiver).send(PROMOTED)
    assert len(receiver.received) == 1


def test_an_answer_whose_headers_never_end_is_given_up_in_time(receiver: Receiver) -> None:
    def dripping(handler: BaseHTTPRequestHandler) -> None:
        handler.flush_headers()
        while not receiver.left.wait(0.01):
            handler.wfile.write(b"X")

    receiver.rest = dripping
    hasty = Webhook.of(receiver.url, SECRET, place="here", delivery=Delivery(attempts=1, attempt_seconds=0.1))
    with pytest.raises(WebhookError, match=r"^webhook at 127\.0\.0\.1: it does not answer in time$"):
        hasty.send(PROMOTED)


def test_certificates_that_cannot_be_read_fail_a_delivery_and_no_run(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path))
    said: list[str] = []
    Announcer([webhook(receiver).send], said.append).announce(PROMOTED)
    assert [sentence.startswith("notice numeral.model.promoted not delivered: webhook at ") for sentence in said] == [
        True
    ]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """The settings of an environment with these variables, without NUMERAL_ in their names."""

    def of(**given: object) -> Settings:
        for name, value in given.items():
            monkeypatch.setenv(f"NUMERAL_{name.upper()}", str(value))
        return Settings()

    return of


def test_without_settings_there_is_no_webhook() -> None:
    assert webhook_of(Settings()) is None


def test_the_secret_is_read_from_a_file_with_or_without_a_final_line_break(
    tmp_path: Path, receiver: Receiver, settings: Callable[..., Settings]
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    hook = webhook_of(settings(webhook_url=receiver.url, webhook_secret_file=file))
    assert hook is not None
    hook.send(PROMOTED)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("example.org/hooks", "expected https://"),
        ("ftp://example.org", "expected https://"),
        ("https://", "expected https://"),
        ("http://[::1", "not a URL"),
    ],
)
def test_what_is_no_address_of_a_web_server_is_refused(url: str, found: str, settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigError, match=found):
        webhook_of(settings(webhook_url=url, webhook_secret=SECRET))


def test_a_webhook_without_a_secret_is_refused(settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigError, match="set NUMERAL_WEBHOOK_SECRET_FILE"):
        webhook_of(settings(webhook_url="https://example.org"))


def test_a_secret_file_may_be_a_link_and_nothing_but_a_file_is_opened(
    tmp_path: Path, receiver: Receiver, settings: Callable[..., Settings]
) -> None:
    file, link, pipe = (tmp_path / name for name in ("secret", "link", "pipe"))
    file.write_text(SECRET)
    link.symlink_to(file)
    os.mkfifo(pipe)
    assert webhook_of(settings(webhook_url=receiver.url, webhook_secret_file=link)) is not None
    with pytest.raises(ConfigError, match=f"NUMERAL_WEBHOOK_SECRET_FILE={pipe}: a FIFO, where a file is expected"):
        webhook_of(settings(webhook_secret_file=pipe))


@pytest.mark.parametrize("contents", [None, b"", b"whsec_\xff", (SECRET + "\n" * 1024).encode()])
def test_a_secret_file_that_holds_no_secret_is_named(
    tmp_path: Path, contents: bytes | None, settings: Callable[..., Settings]
) -> None:
    file = tmp_path / "secret"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(ConfigError, match=f"NUMERAL_WEBHOOK_SECRET_FILE={file}: "):
        webhook_of(settings(webhook_url="https://example.org", webhook_secret_file=file))
