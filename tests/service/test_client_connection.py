"""How the client reaches a server: retries, several servers, TLS, tokens."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import ConfigError, NumeralError
from service.aio_client import AsyncRecognizer
from service.client import OverloadedError, Recognizer, ServiceError, UnreachableError
from service.connection import Connection
from tests.service.bare_server import bare
from tests.service.harness import running
from tests.service.test_client import free_port
from tests.service.tiny_model import publish

UNAVAILABLE, EXHAUSTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED


# retries


@pytest.mark.parametrize("status", [UNAVAILABLE, EXHAUSTED])
def test_a_call_that_may_be_repeated_is_tried_four_times(status, pixels):
    with bare(status, status, status) as (address, server), Recognizer(address) as client:
        assert client.recognize(pixels).model_version == "bare"
        assert server.calls == 4


def test_after_four_times_the_error_is_told(pixels):
    with bare(*[UNAVAILABLE] * 9) as (address, server), Recognizer(address) as client:
        with pytest.raises(UnreachableError):
            client.recognize(pixels)
        assert server.calls == 4


def test_the_asynchronous_client_repeats_too(pixels):
    async def call(address: str) -> str:
        async with AsyncRecognizer(address) as client:
            return (await client.recognize(pixels)).model_version

    with bare(UNAVAILABLE, EXHAUSTED) as (address, server):
        assert asyncio.run(call(address)) == "bare"
        assert server.calls == 3


def test_other_failures_and_streams_are_not_repeated(pixels):
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


def test_a_stream_whose_server_dies_says_so_and_the_next_one_works(repository, folder, pixels):
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


def test_calls_go_to_each_of_several_servers_in_turn_and_past_one_that_is_gone(pixels):
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


class Authority:
    """Signs certificates, and writes them to files."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(name, self.key, authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName(name), *([] if authority else [x509.IPAddress(ip_address("127.0.0.1"))])]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names if name != "elsewhere" else names[:1]), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a new certificate for `name` and 127.0.0.1 (for "elsewhere", the name alone), and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(self._sign(name, key, authority=False).public_bytes(serialization.Encoding.PEM))
        encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(*encoding))
        return files


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def secure(files: tuple[Path, Path], clients: Path | None = None):
    """What makes a bare server listen with TLS, and with a client's certificate asked for where `clients` vouch."""
    certificate, key = (file.read_bytes() for file in files)
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], clients.read_bytes() if clients else None, clients is not None
    )
    return lambda server: server.add_secure_port("127.0.0.1:0", credentials)


def test_with_the_right_authority_a_server_is_trusted_and_its_answers_come(authority, pixels):
    with bare(listen=secure(authority.issue("localhost"))) as (address, _):
        with Recognizer(address, tls=authority.file) as client:
            assert client.recognize(pixels).model_version == "bare"

        async def call() -> str:
            async with AsyncRecognizer(address, tls=authority.file) as client:
                return (await client.recognize(pixels)).model_version

        assert asyncio.run(call()) == "bare"


def test_another_authority_no_tls_or_another_name_is_no_answer(authority, tmp_path, pixels):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    with bare(listen=secure(authority.issue("localhost"))) as (address, _):
        for tls in (stranger.file, True, False):
            with Recognizer(address, tls=tls) as client, pytest.raises(UnreachableError):
                client.recognize(pixels)
    with bare(listen=secure(authority.issue("elsewhere"))) as (address, _):
        with Recognizer(address, tls=authority.file) as client, pytest.raises(UnreachableError):
            client.recognize(pixels)
        with Recognizer(address, tls=authority.file, server_name="elsewhere") as client:
            assert client.recognize(pixels).model_version == "bare"


def test_a_server_that_wants_a_certificate_of_its_clients_gets_it(authority, pixels):
    listen = secure(authority.issue("localhost"), clients=authority.file)
    with bare(listen=listen) as (address, _):
        with Recognizer(address, tls=authority.file, certificate=authority.issue("me")) as client:
            assert client.recognize(pixels).model_version == "bare"
        with Recognizer(address, tls=authority.file) as client, pytest.raises(UnreachableError):
            client.recognize(pixels)


def test_predict_and_health_speak_tls_and_show_the_token(authority, run, png, tmp_path):
    (tmp_path / "one.png").write_bytes(png)
    with bare(listen=secure(authority.issue("localhost"))) as (address, server):
        env = {"NUMERAL_TOKEN": "a-token-of-the-environment", "NUMERAL_TLS_CA": str(authority.file)}
        done = run("predict", tmp_path / "one.png", "--address", address, env=env)
        assert "one.png: 3 (" in done.stdout, done.stderr
        assert server.metadata[-1]["authorization"] == "Bearer a-token-of-the-environment"
        done = run("health", "--address", address, "--tls-ca", authority.file)
        assert "UNIMPLEMENTED" in done.stderr, "it was reached, and has no such service"
        done = run("health", "--address", address, "--tls-ca", authority.file, "--client-cert", authority.file)
        assert (done.returncode, "--client-cert and --client-key belong together" in done.stderr) == (2, True)


# tokens


@pytest.mark.parametrize("token", ["secret-token", "a.b-c_d~e+f/g=="])
def test_a_token_goes_with_every_call(token, pixels):
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
def test_a_token_is_not_sent_in_clear_to_another_machine_unless_told_so(address):
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
def test_what_cannot_be_a_token_is_refused_and_never_repeated(token):
    with pytest.raises(ConfigError) as caught:
        Connection.to("localhost:8500", token=token)
    assert not token.strip() or token.strip() not in str(caught.value)


def test_a_connection_that_is_shown_does_not_show_its_token():
    assert "secret" not in repr(Connection.to("localhost:8500", token="secret-token"))


def test_what_is_for_tls_needs_tls():
    for options in ({"certificate": ("a", "b")}, {"server_name": "x"}):
        with pytest.raises(ConfigError, match="for TLS"):
            Connection.to("localhost:8500", **options)


def test_an_overloaded_server_is_told_from_a_message_that_is_too_large(
    repository, folder, serve, connect, pixels, tmp_path
):
    publish(repository, seed=1)
    client = connect(serve(folder, feedback=str(tmp_path / "feedback"), feedback_bytes=0).address)
    with pytest.raises(OverloadedError, match="the feedback folder is full"):
        client.send_feedback(pixels, 3)
