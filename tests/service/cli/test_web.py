"""The command `web`, as a process."""

import http.client
import json
import signal
import socket
import ssl
from urllib.parse import urlsplit

import pytest

from tests.patience import eventually
from tests.service.authority import Authority
from tests.service.tiny_model import publish

NOBODY = "127.0.0.1:1"
"""Where no service listens."""


def ask(url: str, path: str = "/", headers: dict[str, str] | None = None, context: ssl.SSLContext | None = None):
    place = urlsplit(url).netloc
    connection = (
        http.client.HTTPSConnection(place, timeout=60, context=context)
        if context
        else http.client.HTTPConnection(place, timeout=60)
    )
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_it_serves_pages_while_the_service_is_down(start):
    process = start("web", "--port", 0, "--address", NOBODY)
    url = process.listening()
    assert url.startswith("http://127.0.0.1:")
    response, body = ask(url)
    assert (response.status, b"<main" in body) == (200, True)
    assert response.getheader("server") is None
    assert json.loads(ask(url, "/healthz")[1]) == {"status": "ok"}
    process.popen.send_signal(signal.SIGTERM)
    ended = process.end()
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "99999"], "NUMERAL_WEB_PORT or --port"),
        (
            ["--host", "203.0.113.7", "--port", "8080", "--tls-cert", "{cert}", "--tls-key", "{key}"],
            "cannot listen on 203",
        ),
        (["--host", "0.0.0.0", "--port", "0"], "--allow-insecure yes-beyond-this-machine"),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:8080: "),
        (["--tls-cert", "{cert}"], "set --tls-key too"),
        (["--tls-cert", "{cert}", "--tls-key", "{other}"], "TLS key"),
        (["--tls-cert", "nowhere.pem", "--tls-key", "{key}"], "TLS certificate nowhere.pem: cannot be read"),
        (["--token-file", "nowhere"], "token nowhere: cannot be read"),
        (["--token-file", "{key}", "--token", "x"], "there are two tokens"),
        (["--address", "http://localhost:8500"], "write localhost:8500"),
        (["--address", "service.example:8500", "--token", "abc"], "in clear text"),
        (["--tls-ca", "nowhere.pem"], "No such file"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(run, tmp_path, arguments, words):
    authority = Authority(tmp_path)
    places = {name: tmp_path / name for name in ("cert", "key", "other", "unused")}
    authority.issue(places["cert"], places["key"])
    authority.issue(places["unused"], places["other"])
    ended = run("web", *(argument.format(**places) for argument in arguments))
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


def test_a_port_that_is_taken_is_one_sentence(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = run("web", "--port", other.getsockname()[1], "--address", NOBODY)
    assert ended.returncode == 2
    assert "Address already in use; choose another address with --port and --host" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_over_tls_browsers_are_told_to_stay_there_and_a_renewed_certificate_is_used(start, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    authority.issue(certificate, key)
    url = start("web", "--port", 0, "--address", NOBODY, "--tls-cert", certificate, "--tls-key", key).listening()
    context = ssl.create_default_context(cafile=authority.certificate)
    assert url.startswith("https://127.0.0.1:")
    response, _ = ask(url, context=context)
    assert response.getheader("strict-transport-security") == "max-age=31536000"
    assert "Secure" in ask(url, "/?lang=de", context=context)[0].getheader("set-cookie")

    host, port = urlsplit(url).hostname, urlsplit(url).port
    pem = authority.issue(certificate, key).decode().strip()
    eventually(lambda: ssl.get_server_certificate((host, port), timeout=60).strip() == pem)


def test_while_this_machine_alone_can_reach_it_other_names_are_refused_unless_they_are_given(start):
    url = start("web", "--port", 0, "--address", NOBODY, "--allow-host", "numeral.example").listening()
    statuses = {
        name: ask(url, headers={"Host": name})[0].status for name in ("localhost", "numeral.example", "evil.example")
    }
    assert statuses == {"localhost": 200, "numeral.example": 200, "evil.example": 421}
    assert ask(url, "/healthz", {"Host": "evil.example"})[0].status == 200


def test_the_access_log_has_a_line_for_each_request_without_query_and_cookies(start):
    process = start("web", "--port", 0, "--address", NOBODY, "--access-log", "--log-format", "json")
    url = process.listening()
    ask(url, "/nowhere%0A?token=secret", {"Cookie": "session=secret", "Authorization": "Bearer secret"})
    eventually(lambda: "nowhere" in process.log)
    [line] = [json.loads(line) for line in process.log.splitlines() if "nowhere" in line]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/nowhere%0A", 404)
    assert line["milliseconds"] >= 0
    assert "secret" not in process.log


def test_without_the_access_log_there_is_none(start):
    process = start("web", "--port", 0, "--address", NOBODY)
    ask(process.listening(), "/nowhere")
    process.popen.send_signal(signal.SIGTERM)
    assert "nowhere" not in process.end().stderr


def test_a_token_file_is_read_again_when_it_changes(repository, folder, serve, start, tmp_path):
    publish(repository, seed=1)
    tokens, file = tmp_path / "tokens", tmp_path / "token"
    for path, text in ((tokens, "predict:predict-two-0123456789abcdef\n"), (file, "predict-one-0123456789abcdef\n")):
        path.write_text(text)
        path.chmod(0o600)
    service = serve(folder, tokens_file=str(tokens))
    process = start("web", "--port", 0, "--address", service.address, "--token-file", file)
    process.listening()
    file.write_text("predict-two-0123456789abcdef\n")
    eventually(lambda: "the token of the web server was renewed" in process.log)
    file.write_text("two words\n")
    eventually(lambda: "the previous token remains in use" in process.log)
    assert "predict-" not in process.log


def test_help_names_every_setting(run):
    from service.web.web_settings import WebSettings

    ended = run("web", "--help", env={"COLUMNS": "200"})
    assert ended.returncode == 0
    for name in WebSettings.model_fields:
        assert f"--{name.replace('_', '-')}" in ended.stdout
        assert f"NUMERAL_WEB_{name.upper()}" in "".join(ended.stdout.split())
