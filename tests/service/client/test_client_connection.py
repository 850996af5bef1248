"""How the client reaches a server: retries, several servers, TLS, tokens."""

import asyncio
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from core.errors import ConfigError, NumeralError
from service.client import AsyncRecognizer, OverloadedError, Recognizer, ServiceError, UnreachableError
from service.client.connection import Connection
from tests.service.authority import Authority
from tests.service.bare_server import bare
from tests.service.client.test_pictures_and_errors import free_port
from tests.service.harness import running
from tests.service.tiny_model import publish

UNAVAILABLE, EXHAUSTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
CANCELLED = grpc.StatusCode.CANCELLED


# retries


@pytest.mark.parametrize("status", [UNAVAILABLE, EXHAUSTED, CANCELLED])
def test_a_call_that_may_be_sent_again_is_tried_four_times(status, pixels):
    with bare(status, status, status) as (address, server), Recognizer(address) as client:
        assert client.recognize(pixels).model_version == "bare"
        assert server.calls == 4


def test_after_four_attempts_the_error_is_raised(pixels):
    with bare(*[UNAVAILABLE] * 9) as (address, server), Recognizer(address) as client:
        with pytest.raises(UnreachableError):
            client.recognize(pixels)
        assert server.calls == 4


def test_the_asyncio_client_retries_too(pixels):
    async def call(address: str) -> str:
        async with AsyncRecognizer(address) as client:
            return (await client.recognize(pixels)).model_version

    with bare(UNAVAILABLE, EXHAUSTED, CANCELLED) as (address, server):
        assert asyncio.run(call(address)) == "bare"
        assert server.calls == 4


def test_other_failures_and_streams_are_not_retried(pixels):
    with bare(grpc.StatusCode.INTERNAL, UNAVAILABLE) as (address, server), Recognizer(address) as client:
        with pytest.raises(ServiceError, match="INTERNAL"):
            client.recognize(pixels)
        with pytest.raises(UnreachableError):
            list(client.recognize_stream([pixels]))
        assert server.calls == 2


# servers that come and go


def test_a_server_that_dies_and_comes_back_is_found_again(repository, folder, pixels):
    publish(repository, seed=1)
    port = free_port()
    with Recognizer(f"127.0.0.1:{port}", timeout=30, wait_for_ready=True) as client:
        with running(folder, port=port):
            first = client.recognize(pixels)
        with pytest.raises(NumeralError):
            client.recognize(pixels, timeout=0.3)
        with running(folder, port=port):
            assert client.recognize(pixels) == first


def test_a_stream_fails_with_its_server_and_the_next_stream_works(repository, folder, pixels):
    publish(repository, seed=1)
    port, gone = free_port(), threading.Event()

    def pictures():
        yield pixels
        gone.wait(30)
        yield pixels

    with Recognizer(f"127.0.0.1:{port}", timeout=30, wait_for_ready=True) as client:
        with running(folder, port=port, drain_seconds=0):
            readings = client.recognize_stream(pictures())
            first = next(readings)
        gone.set()
        with pytest.raises(ServiceError):
            next(readings)
        with running(folder, port=port):
            assert list(client.recognize_stream([pixels])) == [first]


def test_calls_go_to_several_servers_in_turn_and_skip_one_that_is_gone(pixels):
    with bare() as (one, first):
        with bare() as (two, second), Recognizer(f"ipv4:{one},{two}", wait_for_ready=True) as client:
            while not (first.calls and second.calls):  # until both are connected
                client.recognize(pixels)
            before = first.calls, second.calls
            for _ in range(20):
                client.recognize(pixels)
            assert (first.calls - before[0], second.calls - before[1]) == (10, 10)
            gone = second.calls
            other = Recognizer(f"ipv4:{one},{two}", wait_for_ready=True)
        with other:
            for _ in range(20):
                other.recognize(pixels)
        assert second.calls == gone


# TLS


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def issued(authority: Authority, host: str | None = None, **validity: timedelta) -> tuple[Path, Path]:
    """The files of a new certificate, and of its key; it `begins` and `ends` to be valid so long after now."""
    folder = Path(tempfile.mkdtemp(dir=authority.certificate.parent))
    files = folder / "server.crt", folder / "server.key"
    authority.issue(*files, host=host, **validity)
    return files


def secure(files: tuple[Path, Path], clients: Path | None = None):
    """What makes a bare server listen with TLS, and with a client's certificate asked for where `clients` vouch."""
    certificate, key = (file.read_bytes() for file in files)
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], clients.read_bytes() if clients else None, clients is not None
    )
    return lambda server: server.add_secure_port("127.0.0.1:0", credentials)


def test_a_server_with_a_certificate_of_the_authority_is_trusted(authority, pixels):
    with bare(listen=secure(issued(authority))) as (address, _):
        with Recognizer(address, tls=authority.certificate) as client:
            assert client.recognize(pixels).model_version == "bare"

        async def call() -> str:
            async with AsyncRecognizer(address, tls=authority.certificate) as client:
                return (await client.recognize(pixels)).model_version

        assert asyncio.run(call()) == "bare"


def test_a_certificate_for_another_name_is_accepted_if_that_name_is_given(authority, pixels):
    with (
        bare(listen=secure(issued(authority, "elsewhere"))) as (address, _),
        Recognizer(address, tls=authority.certificate, server_name="elsewhere") as client,
    ):
        assert client.recognize(pixels).model_version == "bare"


def test_a_client_shows_its_certificate_to_a_server_that_asks_for_one(authority, pixels):
    listen = secure(issued(authority), clients=authority.certificate)
    with bare(listen=listen) as (address, _):
        with Recognizer(address, tls=authority.certificate, certificate=issued(authority, "me")) as client:
            assert client.recognize(pixels).model_version == "bare"
        with Recognizer(address, tls=authority.certificate) as client, pytest.raises(UnreachableError):
            client.recognize(pixels)


def test_predict_and_health_use_tls_and_send_the_token(authority, run, png, tmp_path):
    (tmp_path / "one.png").write_bytes(png)
    with bare(listen=secure(issued(authority))) as (address, server):
        env = {"NUMERAL_TOKEN": "a-token-of-the-environment", "NUMERAL_TLS_CA": str(authority.certificate)}
        done = run("predict", tmp_path / "one.png", "--address", address, env=env)
        assert "one.png: 3 (" in done.stdout, done.stderr
        assert server.metadata[-1]["authorization"] == "Bearer a-token-of-the-environment"
        done = run("health", "--address", address, "--tls-ca", authority.certificate)
        assert "UNIMPLEMENTED" in done.stderr, "it was reached, and has no such service"
        done = run(
            "health", "--address", address, "--tls-ca", authority.certificate, "--client-cert", authority.certificate
        )
        assert (done.returncode, "--client-cert and --client-key belong together" in done.stderr) == (2, True)


# tokens


@pytest.mark.parametrize("token", ["secret-token", "a.b-c_d~e+f/g=="])
def test_a_token_is_sent_with_every_call(token, pixels):
    with bare() as (address, server):
        with Recognizer(address, token=token) as client:
            client.recognize(pixels)
            list(client.recognize_stream([pixels]))

        async def call() -> None:
            async with AsyncRecognizer(address, token=token) as client:
                await client.recognize(pixels)

        asyncio.run(call())
        assert [found["authorization"] for found in server.metadata] == [f"Bearer {token}"] * 3


@pytest.mark.parametrize(
    "address", ["example.org:8500", "dns:///10.0.0.1:8500", "ipv4:127.0.0.1:1,10.0.0.1:1", "127.0.0.1.example.org:1"]
)
def test_a_token_is_not_sent_in_clear_text_to_another_machine_by_default(address):
    with pytest.raises(ConfigError, match="would go to .* in clear"):
        Connection.to(address, token="secret-token")
    assert Connection.to(address, token="secret-token", token_without_tls=True).metadata
    assert Connection.to(address, token="secret-token", tls=True).metadata


@pytest.mark.parametrize(
    "address", ["localhost:8500", "127.0.0.1:8500", "[::1]:8500", "unix:/run/numeral", "ipv4:127.0.0.1:1,127.0.0.2:1"]
)
def test_on_this_machine_a_token_needs_no_tls(address):
    assert Connection.to(address, token="secret-token").metadata == (("authorization", "Bearer secret-token"),)


@pytest.mark.parametrize("token", ["", " ", "two words", "line\n", "ünï"])
def test_an_impossible_token_is_refused_without_quoting_it(token):
    with pytest.raises(ConfigError) as caught:
        Connection.to("localhost:8500", token=token)
    assert not token.strip() or token.strip() not in str(caught.value)


def test_the_repr_of_a_connection_does_not_contain_its_token():
    assert "secret" not in repr(Connection.to("localhost:8500", token="secret-token"))


def test_options_of_tls_need_tls():
    for options in ({"certificate": ("a", "b")}, {"server_name": "x"}):
        with pytest.raises(ConfigError, match="for TLS"):
            Connection.to("localhost:8500", **options)


def test_an_overloaded_server_is_distinguished_from_a_message_too_large(
    repository, folder, serve, connect, pixels, tmp_path
):
    publish(repository, seed=1)
    client = connect(serve(folder, feedback=str(tmp_path / "feedback"), feedback_bytes=0).address)
    with pytest.raises(OverloadedError, match="the feedback folder is full"):
        client.send_feedback(pixels, 3)
