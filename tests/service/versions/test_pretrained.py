"""Before the first version is published, the one that ships with Numeral answers; it says so, and gives way."""

import json
import logging
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.artifact.repository import Repository, Snapshot
from core.errors import RepositoryError
from service.client import UnreachableError
from service.versions.store import Store
from service.versions.watcher import Watcher
from tests.patience import eventually
from tests.service.harness import drawing, expected
from tests.service.tiny_model import damage, publish, weights_file


@pytest.fixture
def shipped(tmp_path):
    """What stands in for the folder `pretrained/` of a checkout."""
    return tmp_path / "pretrained"


@pytest.fixture
def pretrained(shipped):
    """The repository in `shipped`, with a champion."""
    repository = Repository(str(shipped), writable=True)
    publish(repository, seed=9)
    return repository


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "one.png"
    file.write_bytes(drawing())
    return file


def weights_of(repository: Repository, version: int) -> str:
    return repository.manifest(version).files["weights.safetensors"].sha256


# predict


@pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "no folder"])
def test_predict_without_a_version_uses_the_pretrained_one_and_says_so_on_stderr(
    pretrained, shipped, folder, run, picture, there
):
    if there:
        folder.mkdir()
    done = run("predict", picture, "--json", "--repository", folder, "--pretrained", shipped)
    [row] = json.loads(done.stdout)
    assert (row["model_version"], row["rejected"], done.returncode) == ("pretrained", None, 0)
    said = f"{folder} holds no version yet: using the pretrained version that ships with Numeral; train your own with: "
    assert done.stderr == f"{said}python -m pipelines retrain\n"
    assert folder.exists() is there


def test_predict_names_the_pretrained_version_in_its_text_output(pretrained, shipped, folder, run, picture):
    done = run("predict", picture, env={"NUMERAL_PRETRAINED": str(shipped), "NUMERAL_REPOSITORY": str(folder)})
    assert done.stdout.splitlines()[0].endswith("%, the pretrained version)")


def test_predict_prefers_a_published_version_and_writes_nothing_to_stderr(
    pretrained, shipped, repository, folder, run, picture
):
    publish(repository, seed=1)
    done = run("predict", picture, "--json", "--repository", folder, "--pretrained", shipped)
    assert json.loads(done.stdout)[0]["model_version"] == "1"
    assert done.stderr == ""


def test_predict_does_not_hide_a_version_that_cannot_be_used(pretrained, shipped, repository, folder, run, picture):
    publish(repository, seed=1, promote=False)
    done = run("predict", picture, "--repository", folder, "--pretrained", shipped)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no champion yet" in done.stderr


@pytest.mark.parametrize(
    ("status", "version"), [(200, "pretrained"), (403, None)], ids=["an empty bucket", "a bucket that is closed"]
)
def test_predict_falls_back_from_an_empty_bucket_but_not_from_an_inaccessible_one(
    pretrained, shipped, run, picture, status, version
):
    with bucket(status) as env:
        done = run("predict", picture, "--json", "--repository", "s3://models", "--pretrained", shipped, env=env)
    if version:
        assert json.loads(done.stdout)[0]["model_version"] == version
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "error: repository s3://models: cannot list mnist" in done.stderr


def test_predict_without_any_version_says_how_to_publish_one(shipped, folder, run, picture):
    shipped.mkdir()
    done = run("predict", picture, "--repository", folder, "--pretrained", shipped)
    assert (done.returncode, done.stdout) == (1, "")
    assert "python -m pipelines retrain" in done.stderr


# serve


def test_a_server_answers_at_once_and_gives_way_to_the_first_version_for_good(
    pretrained, shipped, repository, folder, serve, connect, pixels, caplog
):
    caplog.set_level(logging.INFO)
    client = connect(serve(folder, pretrained=str(shipped)).address)
    assert client.health() == "SERVING"
    reading = client.recognize(pixels)
    assert (reading.model_version, reading.weights_sha256) == ("pretrained", weights_of(pretrained, 1))
    assert reading.probabilities == expected(pretrained, 1, pixels)
    assert "holds no version yet: the pretrained version that ships with Numeral serves until" in caplog.text

    publish(repository, seed=1)
    eventually(lambda: client.recognize(pixels).model_version == "1")
    assert client.recognize(pixels).weights_sha256 == weights_of(repository, 1)

    shutil.rmtree(folder)
    eventually(lambda: "version 1 goes on serving" in caplog.text)
    assert client.recognize(pixels).model_version == "1"


def test_calls_without_pause_see_the_first_version_take_over_without_a_failure(
    pretrained, shipped, repository, folder, serve, connect, pixels
):
    client = connect(serve(folder, pretrained=str(shipped)).address)
    seen = [client.recognize(pixels).model_version]
    publish(repository, seed=1)
    eventually(lambda: seen.append(client.recognize(pixels).model_version) or seen[-1] == "1")
    seen += [client.recognize(pixels).model_version for _ in range(20)]
    first = seen.index("1")
    assert (set(seen[:first]), set(seen[first:])) == ({"pretrained"}, {"1"})


def test_serve_logs_that_the_pretrained_version_serves(pretrained, shipped, folder, start):
    arguments = "--repository", folder, "--pretrained", shipped, "--port", 0, "--log-format", "text"
    process = start("serve", *arguments)
    process.listening()
    eventually(lambda: "until one is published by: python -m pipelines retrain" in process.log)
    assert f"serving the pretrained version, weights sha256 {weights_of(pretrained, 1)}" in process.log
    assert f"WARNING repository {folder.as_uri()} holds no version yet" in process.log
    assert not folder.exists()


def test_without_a_pretrained_version_the_server_waits_for_a_first_one(folder, serve, connect, pixels):
    with pytest.raises(UnreachableError, match="no model is loaded yet"):
        connect(serve(folder, pretrained="off").address).recognize(pixels)


# one look of the watcher at a time


@pytest.fixture
def log(caplog):
    """What was logged since it was read last, one string."""
    caplog.set_level(logging.INFO)

    def read() -> str:
        text = "\n".join(record.getMessage() for record in caplog.records)
        caplog.clear()
        return text

    return read


@pytest.fixture
def watched(folder, shipped):
    """Looks once, and returns the version that serves then."""
    store = Store(str(folder))
    watcher = Watcher(Repository(str(folder)), store, pretrained=str(shipped))

    def look() -> str | None:
        watcher.look()
        return store.active().version if store.active() else None

    return look


def test_an_empty_repository_is_logged_once_even_while_a_version_is_being_written(pretrained, repository, watched, log):
    assert watched() == "pretrained"
    assert "holds no version yet" in log()
    assert watched() == "pretrained"
    repository.claim(b"weights of a version that has no manifest yet")
    assert watched() == "pretrained"
    assert log() == ""


def test_a_first_version_without_promotion_is_logged_and_not_served(pretrained, repository, watched, log):
    watched()
    log()
    publish(repository, seed=1, promote=False)
    assert watched() == "pretrained"
    assert "names no champion; the pretrained version goes on serving" in log()
    repository.promote(1, by="tests", why="somebody did")
    assert watched() == "1"


def test_a_damaged_first_champion_is_refused_and_a_sound_second_one_is_served(
    pretrained, repository, folder, watched, log
):
    watched()
    publish(repository, seed=1, promote=False)
    damage(weights_file(folder, 1))
    repository.alias().promote(1, by="tests", why="surely it is sound")
    assert watched() == "pretrained"
    said = log()
    assert "version 1 refused: mnist/1/weights.safetensors" in said
    assert "the pretrained version goes on serving" in said
    publish(repository, seed=2)
    assert watched() == "2"


def test_version_1_is_not_taken_for_the_pretrained_one_though_both_have_that_number(
    pretrained, repository, folder, watched
):
    assert watched() == "pretrained"
    publish(repository, seed=9)  # even the same weights
    assert watched() == "1"


@pytest.mark.parametrize("promoted", [True, False])
def test_at_a_cold_start_the_pretrained_version_hides_no_unservable_version(
    pretrained, repository, folder, watched, log, promoted
):
    publish(repository, seed=1, promote=promoted)
    damage(weights_file(folder, 1))
    assert watched() is None
    assert ("no version can be served" if promoted else "names no champion") in log()


def test_at_a_cold_start_it_does_not_stand_in_for_an_unreachable_storage(pretrained, folder, shipped, log):
    class Away(Repository):
        """A local folder cannot be made to exist and be unreachable at once."""

        def exists(self) -> bool:
            return True

        def snapshot(self) -> Snapshot:
            raise RepositoryError("the network is down")

    store = Store(str(folder))
    Watcher(Away(str(folder)), store, pretrained=str(shipped)).look()
    assert store.active() is None
    assert "the network is down; waiting for a version" in log()


def test_a_damaged_pretrained_version_is_logged_once_and_the_first_one_is_served(
    pretrained, shipped, repository, folder, watched, log
):
    damage(weights_file(shipped, 1))
    assert watched() is None
    said = log()
    assert "the pretrained version refused: mnist/1/weights.safetensors" in said
    assert f"repository {folder.as_uri()} does not exist; waiting for a version" in said
    assert watched() is None
    assert log() == ""
    publish(repository, seed=1)
    assert watched() == "1"


def test_a_missing_pretrained_repository_is_logged_and_served_once_it_exists(shipped, watched, log):
    assert watched() is None
    assert f"repository {shipped.as_uri()}: cannot list" in log()
    publish(Repository(str(shipped), writable=True), seed=9)
    assert watched() == "pretrained"


@contextmanager
def bucket(status: int):
    """A storage that answers every request with a status and, if that is 200, with an empty listing.

    Yields the environment in which `s3://…` means this storage.
    """
    listing = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = listing if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {
                "AWS_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1",
            }  # fmt: skip
        finally:
            server.shutdown()
            thread.join()
