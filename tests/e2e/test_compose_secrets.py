"""deploy/tls/make-secrets.sh: what it makes lets the right ones in, and lasts when it is run again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.client import AccessError, Recognizer
from tests.service.harness import running

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs OpenSSL and the groups of a host of containers")
SCRIPT = ROOT / "deploy/tls/make-secrets.sh"


def make(folder: Path, *hosts: str, group: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"NUMERAL_SECRETS_GROUP": group or str(os.getgid())}
    return subprocess.run([SCRIPT, folder, *hosts], env=environment, capture_output=True, text=True)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    assert make(tmp_path / "secrets", "numeral.example.org").returncode == 0
    return tmp_path / "secrets"


def test_the_service_answers_who_has_the_token_of_the_page(secrets: Path, tmp_path: Path) -> None:
    files = {"tls_cert": "server.pem", "tls_key": "server.key", "tokens_file": "tokens"}
    settings = {name: str(secrets / "service" / file) for name, file in files.items()}
    with running(tmp_path / "models", **settings) as server:
        options = {"tls": secrets / "web/ca.pem", "server_name": "numeral.example.org"}
        with Recognizer(server.address, token=(secrets / "web/token").read_text(), **options) as client:
            assert client.recognize(ROOT / "examples/seven.png").digit == 7
        with Recognizer(server.address, token=(secrets / "admin-token").read_text().strip(), **options) as client:
            assert client.versions().serving
        with Recognizer(server.address, **options) as client, pytest.raises(AccessError):
            client.recognize(ROOT / "examples/seven.png")


def test_only_digests_of_tokens_and_of_the_password_are_handed_to_servers(secrets: Path) -> None:
    tokens, password = (secrets / "service/tokens").read_text(), (secrets / "proxy/htpasswd").read_text()
    assert (secrets / "web/token").read_text() not in tokens
    assert (secrets / "admin-token").read_text().strip() not in tokens
    plain = (secrets / "prefect-password").read_text().strip()
    assert plain not in password
    salt = password.split("$")[2]
    again = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", salt, plain], capture_output=True, text=True, check=True
    )
    assert password == f"prefect:{again.stdout}"


def test_each_container_finds_what_it_needs_and_nothing_else(secrets: Path) -> None:
    found = {
        str(file.relative_to(secrets)) for file in secrets.rglob("*") if file.is_file() and "authority" not in str(file)
    }
    assert found == {
        "admin-token",
        "prefect-password",
        *(f"service/{name}" for name in ("ca.pem", "server.pem", "server.key", "tokens")),
        *(f"web/{name}" for name in ("ca.pem", "token")),
        *(f"proxy/{name}" for name in ("ca.pem", "server.pem", "server.key", "htpasswd")),
    }


def test_no_secret_is_accessible_to_others_and_some_only_to_their_owner(secrets: Path) -> None:
    modes = {file: file.stat().st_mode & 0o777 for file in secrets.rglob("*") if file.is_file()}
    assert all(mode & 0o007 == 0 for mode in modes.values())
    for name in ("admin-token", "prefect-password", "authority/ca.key"):
        assert modes[secrets / name] == 0o600


def test_run_again_it_renews_the_certificate_and_keeps_tokens_and_password(secrets: Path) -> None:
    before = {file: file.read_bytes() for file in secrets.rglob("*") if file.is_file()}
    assert make(secrets, "numeral.example.org").returncode == 0
    changed = {str(file.relative_to(secrets)) for file, content in before.items() if file.read_bytes() != content}
    renewed = {f"{folder}/server.{end}" for folder in ("authority", "proxy", "service") for end in ("pem", "key")}
    assert {name for name in changed if not name.startswith("authority/")} == renewed - {
        "authority/server.pem",
        "authority/server.key",
    }
    assert (secrets / "service/server.pem").read_bytes() == (secrets / "proxy/server.pem").read_bytes()


def test_a_user_who_may_not_give_files_to_the_group_is_told_what_to_do(tmp_path: Path) -> None:
    done = make(tmp_path / "secrets", group="no-such-group")
    assert done.returncode == 1
    assert "may not give files in" in done.stderr
    assert "run it as root, with sudo" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_password_is_replaced_by_removing_its_digest(secrets: Path) -> None:
    before = (secrets / "prefect-password").read_text()
    (secrets / "proxy/htpasswd").unlink()
    assert make(secrets, "numeral.example.org").returncode == 0
    after = (secrets / "prefect-password").read_text()
    assert after != before
    assert (secrets / "proxy/htpasswd").read_text().startswith("prefect:$6$")
