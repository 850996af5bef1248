"""The server that Prefect's settings name is found and checked."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.shipped import ROOT
from pipelines.engine import server
from pipelines.engine.server import NamedServer

SHOW = "from pipelines.engine.server import named_server; found = named_server(); print((found.url, found.headers))"

Name = Callable[[NamedServer], None]


@contextmanager
def answering(status: int) -> Iterator[tuple[str, list[str]]]:
    """A server that gives every request the same status: its URL, and who asked."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}/api", seen
        finally:
            http.shutdown()


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Name:
    """Have Prefect's settings name a server."""
    return lambda found: monkeypatch.setattr(server, "named_server", lambda: found)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refuses us (status 401); set PREFECT_API_AUTH_STRING"),
        (403, "refuses us (status 403); set PREFECT_API_AUTH_STRING"),
        (500, "is not well (status 500); see its log"),
    ],
)
def test_a_named_server_that_cannot_be_used_is_refused_in_one_sentence(name: Name, status: int, sentence: str) -> None:
    with answering(status) as (url, _):
        name(NamedServer(url))
        with pytest.raises(ConfigError) as refused:
            server.check_server()
    assert f"the Prefect server at PREFECT_API_URL={url} {sentence}" in str(refused.value)


def test_a_named_server_that_answers_is_used_with_its_authentication(name: Name) -> None:
    with answering(200) as (url, seen):
        named = NamedServer(url, {"Authorization": "Basic eA=="})
        name(named)
        assert server.check_server() == named
        assert server.answers(named)
    assert seen == ["Basic eA=="] * 2


def test_a_named_server_that_hangs_is_refused_in_one_sentence(name: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ANSWERS_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name(NamedServer(f"http://127.0.0.1:{silent.getsockname()[1]}/api"))
        with pytest.raises(ConfigError, match=r"no Prefect server answers at .* \(it answers nothing\)"):
            server.check_server()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "not a url", "http://[::1"])
def test_a_named_server_that_is_nowhere_is_refused_in_one_sentence(name: Name, url: str) -> None:
    name(NamedServer(url))
    with pytest.raises(ConfigError, match="no Prefect server answers at PREFECT_API_URL="):
        server.check_server()


def asked(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    home = {"PREFECT_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=folder,
        env=kept | home | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_is_named_by_a_profile_with_its_authentication(tmp_path: Path) -> None:
    profile = '[profiles.night]\nPREFECT_API_URL = "http://night:4200/api"\nPREFECT_API_AUTH_STRING = "admin:pass"\n'
    (tmp_path / "profiles.toml").write_text(f'active = "night"\n{profile}')
    ended = asked(tmp_path)
    assert ended.stdout == "('http://night:4200/api', {'Authorization': 'Basic YWRtaW46cGFzcw=='})\n", ended.stderr


def test_a_server_is_named_by_a_prefect_toml_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://here:4200/api"\n')
    ended = asked(tmp_path)
    assert ended.stdout == "('http://here:4200/api', {})\n", ended.stderr


def test_settings_that_cannot_be_read_are_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text("[api\n")
    ended = asked(tmp_path)
    assert "ConfigError: Prefect's settings cannot be read: " in ended.stderr
