"""The commands on terminals that print little, and for files that are no ordinary ones; run as processes."""

import json
import os
import subprocess
import sys

import pytest

from tests.patience import eventually
from tests.service.harness import ROOT, drawing
from tests.service.tiny_model import publish

ASCII_ONLY = [
    pytest.param({"PYTHONIOENCODING": "ascii"}, id="encoding"),
    pytest.param({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, id="locale"),
]


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(drawing())
    return file


@pytest.mark.parametrize("env", ASCII_ONLY)
def test_predict_prints_its_answer_and_its_bars_in_ascii(repository, folder, run, picture, env):
    publish(repository, seed=1)
    done = run("predict", picture, "--repository", folder, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    answer, *bars = done.stdout.splitlines()
    assert answer.startswith(f"{picture}: ")
    assert len(bars) == 10
    assert any("##" in bar for bar in bars)


@pytest.mark.parametrize("env", [pytest.param({}, id="utf-8"), *ASCII_ONLY])
def test_predict_names_a_file_whose_name_cannot_be_printed(repository, folder, run, tmp_path, env):
    publish(repository, seed=1)
    names = [b"\xff\xfe.png", "größe.png".encode(), b"two\nlines.png", b"\x1b[31m.png"]
    files = [os.fsdecode(os.path.join(os.fsencode(tmp_path), name)) for name in names]  # noqa: PTH118 — of bytes
    for file in files:
        with open(file, "wb") as out:  # noqa: PTH123
            out.write(drawing())
    done = run("predict", *files, "--repository", folder, env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"{tmp_path}/\\udcff\\udcfe.png: ")
    assert lines[2].startswith(f"{tmp_path}/two\\nlines.png: ")
    assert lines[3].startswith(f"{tmp_path}/\\x1b[31m.png: ")
    rows = json.loads(run("predict", *files, "--json", "--repository", folder, env=env).stdout)
    assert [row["file"].encode("utf-8", "surrogateescape") for row in rows] == [os.fsencode(file) for file in files]


def test_predict_names_what_is_no_regular_file_and_answers_for_the_others(repository, folder, run, picture, tmp_path):
    publish(repository, seed=1)
    os.mkfifo(tmp_path / "pipe")
    done = run("predict", tmp_path, tmp_path / "pipe", "/dev/zero", picture, "--json", "--repository", folder)
    *refused, answer = json.loads(done.stdout)
    assert [row["rejected"].partition(",")[0] for row in refused] == [
        f"cannot read the file: it is a {kind}" for kind in ("directory", "pipe", "device")
    ]
    assert answer["digit"] is not None
    assert done.returncode == 1


def test_predict_reads_no_more_of_a_file_than_is_accepted(repository, folder, run, picture, tmp_path):
    publish(repository, seed=1)
    (tmp_path / "huge.png").touch()
    os.truncate(tmp_path / "huge.png", 6_000_000_000)
    done = run("predict", tmp_path / "huge.png", picture, "--json", "--repository", folder)
    huge, answer = json.loads(done.stdout)
    assert huge["rejected"].startswith("picture: 6,000,000,000 bytes, at most 10,485,760 are accepted")
    assert answer["digit"] is not None
    assert done.returncode == 0


@pytest.mark.parametrize("env", ASCII_ONLY)
def test_status_and_logs_are_printed_in_ascii(repository, folder, start, run, env):
    publish(repository, seed=1)
    server = start("serve", "--repository", folder, "--port", 0, "--metrics-port", 0, env=env)
    address = server.listening()
    eventually(lambda: "serving version 1" in server.log)
    done = run("status", "--address", address, "--metrics", "127.0.0.1:1", "--once", env=env)
    assert done.returncode == 1, "the metrics could not be read"
    assert done.stdout.isascii()
    assert "READY" in done.stdout
    assert "Traceback" not in server.log + done.stderr


@pytest.mark.parametrize("env", ASCII_ONLY)
@pytest.mark.parametrize("command", [["list"], ["show", "1"]])
def test_the_pipelines_print_versions_in_ascii(env, command):
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "models", *command, "--repository", ROOT / "pretrained"],
        env=os.environ | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert "cnn" in done.stdout
