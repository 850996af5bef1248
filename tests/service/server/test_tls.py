"""TLS on the wire, and the addresses that need it."""

import asyncio
import ssl
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.listening import INSECURE_WORDS
from service.observer import Observer
from service.server import renewal, tls
from service.server.assembly import Server
from service.settings import read
from tests.patience import eventually
from tests.service.authority import DAY, Authority
from tests.service.scraped import scrape
from tests.service.tiny_model import publish
from tests.whole_files import replace


@pytest.fixture(autouse=True)
def without_pause(monkeypatch):
    """Look at the files without pause, rather than once a second."""
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 0.01)


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
            return RecognizerStub(channel).Recognize(request, timeout=60).model_version

    return call


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


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
    assert renewed != before
    eventually(lambda: shown(server.address) == renewed)
    assert ask(server.address, authority) == "1"


def test_a_server_that_is_asked_reads_its_files_at_once(folder, files, authority, tmp_path, monkeypatch):
    monkeypatch.setattr(renewal, "LOOK_SECONDS", 3600.0)

    async def renew():
        server = Server(read(repository=str(folder), port=0, **files))
        address = f"127.0.0.1:{await server.start()}"
        renewed = authority.issue(tmp_path / "server.pem", tmp_path / "server.key").decode()
        server.reload()
        while await asyncio.to_thread(shown, address) != renewed:
            await asyncio.sleep(0.01)
        await server.stop()

    asyncio.run(asyncio.wait_for(renew(), 60))


@pytest.mark.parametrize("spoil", ["words", "expired", "not yet valid"])
def test_an_unusable_renewal_leaves_the_previous_certificate_in_use(
    folder, serve, files, authority, tmp_path, caplog, spoil
):
    new = tmp_path / "server.pem", tmp_path / "server.key"
    # With one key for all, a look between the writing of the two files finds no certificate that does not fit its key.
    private = ec.generate_private_key(ec.SECP256R1())
    authority.issue(*new, private=private)
    server = serve(folder, **files)
    before = shown(server.address)
    match spoil:
        case "words":
            replace(new[0], b"no certificate")
        case "expired":
            authority.issue(*new, private=private, begins=-2 * DAY, ends=-DAY)
        case "not yet valid":
            authority.issue(*new, private=private, begins=DAY, ends=2 * DAY)
    eventually(lambda: "remains in use" in caplog.text)
    assert shown(server.address) == before
    assert "server.pem" in caplog.text
    renewed = authority.issue(*new, private=private).decode()
    eventually(lambda: shown(server.address) == renewed)
    assert [record.levelname for record in caplog.records if record.name == "service.server.tls"] == ["ERROR"], "once"


def test_a_key_renewed_before_its_certificate_leaves_the_previous_pair_in_use(files, authority, tmp_path):
    certificates = tls.certificates(read(**files), Observer())
    before = certificates.in_use
    authority.issue(tmp_path / "new.pem", tmp_path / "new.key")
    (tmp_path / "new.key").replace(tmp_path / "server.key")
    certificates.look()
    assert certificates.in_use is before, "key and certificate do not belong together yet"
    (tmp_path / "new.pem").replace(tmp_path / "server.pem")
    certificates.look()
    assert certificates.in_use.names == before.names
    assert certificates.in_use.chain != before.chain


def test_a_renewed_certificate_that_lacks_names_is_used_with_a_warning(files, authority, tmp_path, caplog):
    certificates = tls.certificates(read(**files), Observer())
    authority.issue(tmp_path / "server.pem", tmp_path / "server.key", host="localhost")
    certificates.look()
    assert certificates.in_use.names == {"localhost"}
    [record] = caplog.records
    assert "no longer for '127.0.0.1'" in record.message


def test_metrics_show_how_long_certificates_hold_and_whether_they_can_be_renewed(
    folder, serve, files, authority, free_port, tmp_path
):
    server = serve(folder, **files, tls_client_ca=str(authority.certificate), metrics_port=free_port)
    ends = x509.load_pem_x509_certificate(shown(server.address).encode()).not_valid_after_utc.timestamp()
    metrics = f"127.0.0.1:{free_port}"
    eventually(lambda: scrape(metrics)("numeral_tls_self_check_success") == 1)
    found = scrape(metrics)
    assert found("numeral_tls_certificate_not_after_timestamp_seconds", file="certificate") == ends
    assert found("numeral_tls_certificate_not_after_timestamp_seconds", file="client_ca") > ends - 60
    assert found("numeral_tls_certificate_not_before_timestamp_seconds", file="certificate") < ends
    assert found("numeral_tls_handshakes_total") == 2, "that of the test and that of the service"
    assert found("numeral_reload_success", secret="certificate") == 1
    looked = found("numeral_reload_last_look_timestamp_seconds", secret="certificate")
    eventually(lambda: scrape(metrics)("numeral_reload_last_look_timestamp_seconds", secret="certificate") > looked)
    (tmp_path / "server.key").unlink()
    eventually(lambda: scrape(metrics)("numeral_reload_success", secret="certificate") == 0)


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


def spoiled(folder, authority, how):
    """A file that is not what it should be."""
    file = folder / "spoiled"
    match how:
        case "a folder":
            file.mkdir()
        case "other":
            authority.issue(folder / "other.pem", file)
        case "expired":
            authority.issue(file, folder / "other.key", begins=-2 * DAY, ends=-DAY)
        case "marked":
            file.write_text(authority.certificate.read_text(), "utf-8-sig")
        case "missing":
            pass
        case _:
            file.write_text(how)
    return str(file)


def test_a_key_that_any_user_can_read_serves_with_a_warning(files, caplog):
    Path(files["tls_key"]).chmod(0o644)
    assert tls.certificates(read(**files), Observer()) is not None
    assert "any user of this machine can read or change it; run: chmod o=" in caplog.text


@pytest.mark.parametrize(
    ("setting", "how", "words"),
    [
        ("tls_cert", "missing", "TLS certificate .*spoiled: cannot be read: No such file"),
        ("tls_cert", "marked", "TLS certificate .*spoiled: begins with a byte-order mark"),
        ("tls_key", "missing", "TLS key .*spoiled: cannot be read: No such file"),
        ("tls_key", "a folder", "TLS key .*spoiled: is a folder"),
        ("tls_key", "other", "belong together"),
        ("tls_client_ca", "no certificate", "TLS client authorities .*spoiled: holds no certificate"),
        ("tls_client_ca", "expired", "TLS client authorities .*spoiled: holds no authority"),
        ("tls_client_ca", "marked", "TLS client authorities .*spoiled: begins with a byte-order mark"),
    ],
)
def test_an_unusable_tls_file_is_named_before_the_server_listens(files, authority, tmp_path, setting, how, words):
    settings = read(**(files | {setting: spoiled(tmp_path, authority, how)}))
    with pytest.raises(ConfigError, match=words):
        tls.check(settings)


def test_a_server_does_not_start_with_an_expired_certificate(files, authority, tmp_path):
    authority.issue(tmp_path / "server.pem", tmp_path / "server.key", begins=-2 * DAY, ends=-DAY)
    with pytest.raises(ConfigError, match="TLS certificate .*server.pem: has expired, on .*; renew it"):
        tls.check(read(**files))


@pytest.mark.parametrize("key", [rsa_key, lambda: ec.generate_private_key(ec.SECP384R1())])
def test_handshakes_succeed_with_a_chain_whose_lines_end_as_on_windows(
    repository, folder, serve, files, authority, ask, tmp_path, key
):
    publish(repository, seed=1)
    middle = Authority(tmp_path / "tls", "middle", above=authority)
    chain = middle.issue(tmp_path / "server.pem", tmp_path / "server.key", private=key())
    chain += middle.certificate.read_bytes()
    (tmp_path / "server.pem").write_bytes(chain.replace(b"\n", b"\r\n"))
    assert ask(serve(folder, **files).address, authority) == "1"
