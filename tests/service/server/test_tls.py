"""TLS on the wire, and the addresses that need it."""

import logging
import ssl

import grpc
import pytest

from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.server import tls
from service.settings import INSECURE_WORDS, read
from tests.service.authority import Authority
from tests.service.tiny_model import publish


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "tls")


@pytest.fixture
def files(authority, tmp_path):
    """The settings of a server with a certificate."""
    found = {"tls_cert": str(tmp_path / "server.pem"), "tls_key": str(tmp_path / "server.key")}
    authority.issue(tmp_path / "server.pem", tmp_path / "server.key")
    return found


@pytest.fixture
def ask(pixels):
    """Call a server over TLS: which version answers?"""

    def call(address, authority, *, key=None, certificate=None):
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), key, certificate)
        with grpc.secure_channel(address, credentials, [("grpc.enable_http_proxy", 0)]) as channel:
            request = RecognizeRequest(pixels=pixels.tobytes())
            return RecognizerStub(channel).Recognize(request, timeout=10).model_version

    return call


def shown(address):
    """The certificate that a server shows, as PEM."""
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)))


def test_calls_use_tls_if_a_certificate_is_set(repository, folder, serve, files, authority, ask, tmp_path):
    publish(repository, seed=1)
    server = serve(folder, **files)
    assert ask(server.address, authority) == "1"
    with pytest.raises(grpc.RpcError) as caught:
        ask(server.address, Authority(tmp_path / "other"))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_plain_text_is_not_answered_if_a_certificate_is_set(repository, folder, serve, files, pixels):
    publish(repository, seed=1)
    server = serve(folder, **files)
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError):
        RecognizerStub(channel).Recognize(RecognizeRequest(pixels=pixels.tobytes()), timeout=5)


def test_a_renewed_certificate_is_shown_without_a_restart(repository, folder, serve, files, authority, ask, tmp_path):
    publish(repository, seed=1)
    server = serve(folder, **files)
    before = shown(server.address)
    renewed = authority.issue(tmp_path / "server.pem", tmp_path / "server.key").decode()
    assert shown(server.address) == renewed != before
    assert ask(server.address, authority) == "1"


def test_an_invalid_certificate_leaves_the_previous_one_in_use(
    repository, folder, serve, files, authority, tmp_path, caplog
):
    publish(repository, seed=1)
    server = serve(folder, **files)
    before = shown(server.address)
    (tmp_path / "server.pem").write_text("no certificate")
    with caplog.at_level(logging.ERROR, "service.server.tls"):
        assert [shown(server.address) for _ in range(3)] == [before] * 3
    [record] = caplog.records
    assert "server.pem" in record.message
    assert "remains in use" in record.message
    renewed = authority.issue(tmp_path / "server.pem", tmp_path / "server.key").decode()
    assert shown(server.address) == renewed


def test_a_key_renewed_before_its_certificate_leaves_the_previous_pair_in_use(
    folder, serve, files, authority, tmp_path
):
    server = serve(folder, **files)
    before = shown(server.address)
    renewed = authority.issue(tmp_path / "new.pem", tmp_path / "new.key").decode()
    (tmp_path / "new.key").replace(tmp_path / "server.key")
    assert shown(server.address) == before, "key and certificate do not belong together yet"
    (tmp_path / "new.pem").replace(tmp_path / "server.pem")
    assert shown(server.address) == renewed


def test_with_an_authority_of_clients_only_its_clients_are_answered(
    repository, folder, serve, files, authority, ask, tmp_path
):
    publish(repository, seed=1)
    server = serve(folder, **files, tls_client_ca=str(authority.certificate))
    certificate = authority.issue(tmp_path / "client.pem", tmp_path / "client.key", "client")
    key = (tmp_path / "client.key").read_bytes()
    assert ask(server.address, authority, key=key, certificate=certificate) == "1"
    with pytest.raises(grpc.RpcError):
        ask(server.address, authority)
    foreign = Authority(tmp_path / "other").issue(tmp_path / "client.pem", tmp_path / "client.key", "client")
    with pytest.raises(grpc.RpcError):
        ask(server.address, authority, key=(tmp_path / "client.key").read_bytes(), certificate=foreign)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.7"])
def test_listening_beyond_this_machine_without_tls_needs_an_explicit_setting(host, files):
    with pytest.raises(ConfigError) as caught:
        tls.check(read(host=host))
    assert "--tls-cert" in str(caught.value)
    assert f"--allow-insecure {INSECURE_WORDS}" in str(caught.value)
    tls.check(read(host=host, allow_insecure=INSECURE_WORDS))
    tls.check(read(host=host, **files))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_listening_on_this_machine_needs_no_tls(host):
    tls.check(read(host=host))


def test_a_refused_address_ends_the_command_with_one_sentence(run):
    done = run("serve", "--host", "0.0.0.0", "--port", 0)
    assert done.returncode == 2
    assert f"--allow-insecure {INSECURE_WORDS}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tls_cert": "a"}, "--tls-key"),
        ({"tls_key": "a"}, "--tls-cert"),
        ({"tls_client_ca": "a"}, "--tls-cert"),
    ],
)
def test_an_incomplete_set_of_tls_settings_is_refused_with_what_is_missing(given, words):
    with pytest.raises(ConfigError, match=words):
        tls.check(read(**given))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"tls_cert": "nowhere.pem"}, "nowhere.pem"),
        ({"tls_key": "nowhere.key"}, "nowhere.key"),
        ({"tls_key": "other.key"}, "belong together"),
        ({"tls_client_ca": "words.pem"}, "words.pem"),
    ],
)
def test_an_invalid_tls_file_is_named_before_the_server_listens(files, authority, tmp_path, broken, words):
    authority.issue(tmp_path / "other.pem", tmp_path / "other.key")
    (tmp_path / "words.pem").write_text("no certificate")
    settings = read(**(files | {name: str(tmp_path / file) for name, file in broken.items()}))
    with pytest.raises(ConfigError, match=words):
        tls.credentials(settings)
