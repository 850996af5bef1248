"""The commands, run as processes."""

import json
import stat

import pytest
from PIL import Image

from core.artifact.repository import Repository
from tests.patience import eventually
from tests.service.harness import drawing, encoded
from tests.service.tiny_model import damage, publish, weights_file

KEYS = {"file", "digit", "confidence", "probabilities", "digitness", "rejected", "model_version"}


@pytest.fixture
def pictures(tmp_path):
    """One readable picture, one blank, one that is no picture, and one that is not there."""
    (tmp_path / "one.png").write_bytes(drawing())
    (tmp_path / "blank.png").write_bytes(encoded(Image.new("L", (60, 60), 255)))
    (tmp_path / "words.png").write_text("not a picture")
    return [tmp_path / name for name in ("one.png", "blank.png", "words.png", "nowhere.png")]


def test_predict_prints_one_row_for_each_file_in_order_and_nothing_else(repository, folder, run, pictures):
    publish(repository, seed=1)
    done = run("predict", *pictures, "--json", "--repository", folder)
    rows = json.loads(done.stdout)
    assert [row["file"] for row in rows] == [str(picture) for picture in pictures]
    assert all(set(row) == KEYS and row["model_version"] == "1" for row in rows)
    answer, *rejected = rows
    assert answer["rejected"] is None
    assert len(answer["probabilities"]) == 10
    assert answer["probabilities"][answer["digit"]] == answer["confidence"] == max(answer["probabilities"])
    for row in rejected:
        assert row["digit"] is row["confidence"] is row["probabilities"] is None
        assert row["rejected"]
    assert done.returncode == 1, "one of the files is not there"


def test_predict_succeeds_if_every_file_can_be_read_even_if_not_every_picture(repository, folder, run, pictures):
    publish(repository, seed=1)
    assert run("predict", *pictures[:3], "--json", "--repository", folder).returncode == 0


def test_predict_gives_the_same_answers_with_and_without_a_server(repository, folder, run, start, pictures):
    publish(repository, seed=1)
    address = start("serve", "--repository", folder, "--port", 0).listening()
    here = run("predict", *pictures, "--json", "--repository", folder)
    there = run("predict", *pictures, "--json", "--address", address)
    assert json.loads(here.stdout) == json.loads(there.stdout)
    assert here.returncode == there.returncode


def test_predict_without_json_prints_sentences_and_bars(repository, folder, run, pictures):
    publish(repository, seed=1)
    one = run("predict", pictures[0], "--repository", folder)
    assert "one.png: " in one.stdout
    assert len(one.stdout.splitlines()) == 11, "an answer, and a bar for each digit"
    two = run("predict", *pictures[:2], "--repository", folder)
    assert len(two.stdout.splitlines()) == 2
    assert "blank.png: no digit read: " in two.stdout


def test_predict_names_a_file_that_cannot_be_read_with_the_reason(repository, folder, run, pictures):
    publish(repository, seed=1)
    done = run("predict", pictures[3], "--repository", folder)
    assert done.stdout.splitlines()[0] == f"{pictures[3]}: cannot read the file: No such file or directory"
    assert done.returncode == 1


def test_serve_logs_versions_that_serve_and_versions_that_are_refused(repository, folder, start):
    process = start("serve", "--repository", folder, "--port", 0, "--poll-seconds", 0.05)
    process.listening()
    eventually(lambda: "python -m pipelines retrain" in process.log)
    publish(repository, seed=1)
    eventually(lambda: "serving version 1" in process.log)
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    repository.alias().promote(2, by="tests", why="damaged")
    eventually(lambda: "version 2 refused" in process.log)
    assert "Traceback" not in process.log


def test_serve_needs_no_permission_to_write_to_the_repository(repository, folder, start):
    publish(repository, seed=1)
    everything = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    before = {path: path.stat().st_mtime_ns for path in everything}
    for path in everything:
        path.chmod(modes[path] & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        process = start("serve", "--repository", folder, "--port", 0)
        process.listening()
        eventually(lambda: "serving version 1" in process.log)
        assert {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]} == before
    finally:
        for path in everything:
            path.chmod(modes[path])


def test_serve_creates_no_folder_for_a_missing_repository(folder, start):
    process = start("serve", "--repository", folder, "--port", 0)
    process.listening()
    eventually(lambda: "waiting for a version" in process.log)
    assert not folder.exists()


def test_settings_come_from_the_environment_and_flags_beat_them(repository, folder, start, tmp_path):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, env={"NUMERAL_PORT": "0", "NUMERAL_REPOSITORY": str(tmp_path)})
    process.listening()
    eventually(lambda: "serving version 1" in process.log)


def test_the_exit_status_of_health_tells_whether_the_server_can_answer(repository, folder, start, run):
    address = start("serve", "--repository", folder, "--port", 0, "--poll-seconds", 0.05).listening()
    assert run("health", "--address", address).returncode == 1
    publish(repository, seed=1)
    eventually(lambda: run("health", "--address", address).returncode == 0)
    # By default it asks where the settings say that the server is.
    assert run("health", env={"NUMERAL_PORT": address.rpartition(":")[2]}).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["serve", "--port", "99999"], 2, "NUMERAL_PORT or --port"),
        (["serve", "--host", "203.0.113.7", "--port", "8500"], 2, "cannot listen on 203.0.113.7:8500: "),
        (["serve", "--host", "no.such.host", "--port", "8500"], 2, "cannot listen on no.such.host:8500: "),
        (["predict", "{picture}", "--json", "--repository", "{empty}"], 1, "python -m pipelines retrain"),
        (["predict", "{picture}", "--json", "--repository", "{damaged}"], 1, "sha256"),
        (["predict", "{picture}", "--json", "--address", "127.0.0.1:1"], 1, "no server answers at 127.0.0.1:1"),
        (["health", "--address", "127.0.0.1:1"], 1, "no server answers at 127.0.0.1:1"),
        (["health", "--address", "http://localhost:8500"], 2, "write localhost:8500"),
        (["predict", "{picture}", "--address", "localhost:1", "--tls-ca", "nowhere.pem"], 2, "No such file"),
        (["status", "--metrics", "ftp://localhost:1", "--once"], 2, "expected HOST:PORT"),
    ],
)
def test_a_known_failure_is_one_sentence_on_standard_error(repository, folder, run, tmp_path, arguments, status, words):
    publish(repository, seed=1)
    damage(weights_file(folder, 1))
    Repository(str(tmp_path / "empty"), writable=True).snapshot()
    picture = tmp_path / "one.png"
    picture.write_bytes(drawing())
    places = {"picture": picture, "empty": tmp_path / "empty", "damaged": folder}
    done = run(*(argument.format(**places) for argument in arguments))
    assert done.returncode == status
    assert done.stdout == ""
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_port_that_is_in_use_is_refused_rather_than_shared(repository, folder, start, run):
    publish(repository, seed=1)
    address = start("serve", "--repository", folder, "--port", 0).listening()
    second = run("serve", "--repository", folder, "--port", address.rpartition(":")[2])
    assert second.returncode == 2
    assert f"cannot listen on {address}: Address already in use" in second.stderr
