"""What the client says when a server cannot be reached: one sentence for each reason, against real servers."""

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest

from core.errors import NumeralError, PictureTooLargeError
from service.client import (
    AccessError,
    DeadlineError,
    OverloadedError,
    Recognizer,
    ServiceError,
    UnreachableError,
)
from service.client.diagnosis import failure
from tests.service.authority import DAY, Authority
from tests.service.bare_server import bare
from tests.service.client.test_client_connection import issued, secure
from tests.service.harness import STROKE

Told = dict[str, NumeralError]

REASONS: dict[str, tuple[type[NumeralError], str]] = {
    "refused": (UnreachableError, r"no server answers at 127\.0\.0\.1:1 .*start one with: python -m service serve"),
    "unknown host": (UnreachableError, "the host name in no.such.host.invalid:8500 cannot be resolved"),
    "no target": (UnreachableError, "ipv4:nonsense is no address that gRPC understands; write HOST:PORT"),
    "no answer at connect": (DeadlineError, "within 0.5 seconds: no connection could be made"),
    "HTTP/1": (UnreachableError, "does not speak gRPC .*Check the port"),
    "plain text to TLS": (UnreachableError, "it probably expects TLS; pass tls=True"),
    "TLS to plain text": (UnreachableError, "does not use TLS; leave out tls"),
    "wrong authority": (UnreachableError, "not from an authority that this client trusts .*pass the file"),
    "expired": (UnreachableError, "has expired; its operator has to renew it"),
    "not yet valid": (UnreachableError, "is not valid yet; check this machine's clock"),
    "wrong host name": (UnreachableError, "is for another name; use an address with the name in it, or pass"),
    "no client certificate": (UnreachableError, "it probably expects a client certificate"),
    "too many calls": (OverloadedError, "has too much to do .*call again later"),
    "no such method": (ServiceError, "has no such method .*is it another service, or an older version"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The error for each reason. All calls are made at once, because most of them are retried for a second."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, strangers = Authority(folder / "ours"), Authority(folder / "strangers", "strangers")
    expired, future = {"begins": -3 * DAY, "ends": -2 * DAY}, {"begins": 2 * DAY, "ends": 3 * DAY}
    trusting = {"tls": ours.certificate}
    busy, other = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED
    with ExitStack() as stack:

        def server(*failures: grpc.StatusCode, files: tuple[Path, Path] | None = None, **options: Path) -> str:
            listen = {"listen": secure(files, **options)} if files else {}
            return stack.enter_context(bare(*failures, **listen))[0]

        plain, with_tls = server(), server(files=issued(ours))
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        arguments: dict[str, tuple[str, dict[str, object]]] = {
            "refused": ("127.0.0.1:1", {}),
            "unknown host": ("no.such.host.invalid:8500", {}),
            "no target": ("ipv4:nonsense", {}),
            "no answer at connect": (f"127.0.0.1:{silent.getsockname()[1]}", {"timeout": 0.5}),
            "HTTP/1": (f"127.0.0.1:{stack.enter_context(web_server())}", {}),
            "plain text to TLS": (with_tls, {}),
            "TLS to plain text": (plain, trusting),
            "wrong authority": (with_tls, {"tls": strangers.certificate}),
            "expired": (server(files=issued(ours, **expired)), trusting),
            "not yet valid": (server(files=issued(ours, **future)), trusting),
            "wrong host name": (server(files=issued(ours, "elsewhere")), trusting),
            "no client certificate": (server(files=issued(ours), clients=ours.certificate), trusting),
            "too many calls": (server(*[busy] * 9), {}),
            "no such method": (server(other), {}),
        }
        with ThreadPoolExecutor(len(arguments)) as pool:
            calls = {reason: pool.submit(error_of, address, **kw) for reason, (address, kw) in arguments.items()}
        return {reason: call.result() for reason, call in calls.items()}


@contextmanager
def web_server() -> Iterator[int]:
    """A server of HTTP/1; gives its port."""

    class Quiet(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def error_of(address: str, **options: object) -> NumeralError:
    with Recognizer(address, **options) as client, pytest.raises(NumeralError) as caught:
        client.recognize(STROKE)
    return caught.value


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_for_no_answer_has_a_sentence_with_the_next_step(told, reason):
    kind, words = REASONS[reason]
    assert type(told[reason]) is kind
    assert re.search(words, str(told[reason]))


def test_no_two_reasons_are_told_alike(told):
    assert len({re.sub(r"[0-9]+|\(.*\)", "", str(error)) for error in told.values()}) == len(REASONS)


@pytest.mark.parametrize(
    ("code", "details", "kind", "words"),
    [
        # What takes too long, or a rarer server, to make it happen.
        (
            grpc.StatusCode.UNAVAILABLE,
            "Stream removed (RST_STREAM (Received RST_STREAM with error code 7))",
            OverloadedError,
            "refused the call before it began",
        ),
        (
            grpc.StatusCode.UNAVAILABLE,
            "last error: UNKNOWN: ipv4:127.0.0.1:8500: connection attempt timed out before receiving SETTINGS frame",
            UnreachableError,
            "is the machine up, and does a firewall block the port",
        ),
        (grpc.StatusCode.UNAVAILABLE, "Socket closed", UnreachableError, "was lost during the call"),
        (grpc.StatusCode.CANCELLED, "CANCELLED", UnreachableError, "as a server does that is stopping; call again"),
        (
            grpc.StatusCode.UNIMPLEMENTED,
            "Received http2 header with status: 404",
            UnreachableError,
            "is a web server or a proxy",
        ),
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "SERVER: Received message larger than max (9 vs. 4)",
            PictureTooLargeError,
            "accepts no message of this size",
        ),
        (grpc.StatusCode.UNAUTHENTICATED, "who is it?", AccessError, "who is it"),
    ],
)
def test_the_details_of_grpc_are_told_with_the_next_step(code, details, kind, words):
    found = failure("localhost:8500", code, details, "", tls=False)
    assert type(found) is kind
    assert words in str(found)


def test_what_the_service_says_itself_is_told_as_it_is():
    said = "no version is loaded yet; Connection refused, larger than max"
    found = failure("localhost:8500", grpc.StatusCode.UNAVAILABLE, said, "NoModelError", tls=False)
    assert str(found) == f"localhost:8500: {said}"
