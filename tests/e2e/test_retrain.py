"""`python -m pipelines retrain`, as a user runs it, with real Prefect and the real MNIST."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.inference.predict import load
from service.client import Recognizer
from tests.e2e.workshop import ROOT, Workshop, processes_that_mention
from tests.patience import eventually
from tests.service.tiny_model import publish


def test_the_first_run_publishes_and_the_second_finds_nothing_changed(workshop: Workshop) -> None:
    first = workshop.retrain().json
    assert (first["outcome"], first["version"], first["promoted"]) == ("published", 1, True)
    assert 0.95 < first["metrics"]["test_accuracy"] < 1
    assert 0 <= first["metrics"]["calibration_error"] < 0.05
    assert 0.1 < first["metrics"]["temperature"] < 10
    assert {"rotate_left", "shift_up", "noise", "blur", "thin", "thick"} <= first["robustness"].keys()
    assert all(0 <= accuracy <= 1 for accuracy in first["robustness"].values())
    assert first["seconds"].keys() == {
        "download",
        "verify",
        "gather",
        "normalize",
        "train",
        "evaluate",
        "judge",
        "publish",
        "promote",
    }
    second = workshop.retrain().json
    assert (second["outcome"], second["version"], second["promoted"]) == ("unchanged", 1, True)
    assert "train" not in second["seconds"]
    [row] = workshop.run("pipelines", "models", "list", "--json").json
    assert row["version"] == 1
    assert row["aliases"] == ["champion"]
    assert row["weights_sha256"] == first["weights_sha256"]
    assert not list((workshop.data_dir / "work").iterdir()), "a finished run leaves no unfinished work"
    storage = Path(workshop.environment["PREFECT_LOCAL_STORAGE_PATH"])
    assert not storage.exists() or not list(storage.iterdir()), "nothing is handed on as a pickle"


def test_feedback_collected_by_the_service_is_trained_on_once(workshop: Workshop, tmp_path: Path) -> None:
    workshop.environment["NUMERAL_FEEDBACK"] = str(tmp_path / "feedback")
    picture = ROOT / "examples" / "seven.png"
    server = workshop.start("service", "serve", "--port", "0", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        address = server.stdout.readline().split()[-1]  # type: ignore[union-attr]
        with Recognizer(address) as client:
            reading = client.recognize(picture)
            assert client.send_feedback(picture, 7, about=reading)
    finally:
        server.terminate()
        server.wait(120)
        server.stdout.close()  # type: ignore[union-attr]
    done = workshop.retrain("train.epochs=1")
    assert done.json["outcome"] == "published"
    assert "new data: 1 picture from feedback; 0 held out" in done.stderr
    learned = Repository(str(workshop.repository)).manifest(1).data.new_data
    assert learned is not None
    assert learned.images == 1
    assert workshop.retrain("train.epochs=1").json["outcome"] == "unchanged"
    assert not list((workshop.data_dir / "work").iterdir()), "a finished run leaves no unfinished work"


def test_another_seed_gives_another_champion_and_a_rollback_brings_the_first_back(champion: Workshop) -> None:
    workshop = champion
    second = workshop.retrain("train.seed=2", promote="always").json
    assert (second["outcome"], second["version"], second["promoted"]) == ("published", 2, True)
    assert workshop.run("pipelines", "models", "rollback").status == 0
    rows = workshop.run("pipelines", "models", "list", "--json").json
    assert [row["aliases"] for row in rows] == [["champion"], []]
    assert not workshop.retrain("train.seed=2").json["promoted"], "running again does not undo a rollback"


def test_a_challenger_is_named_and_renamed_beside_the_champion(make_workshop: Callable[..., Workshop]) -> None:
    workshop = make_workshop()

    def aliases() -> list[list[str]]:
        return [row["aliases"] for row in workshop.run("pipelines", "models", "list", "--json").json]

    repository = Repository(str(workshop.repository), writable=True)
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    for version in ("1", "2"):
        named = workshop.run("pipelines", "models", "promote", version, "--alias", "challenger")
        assert (named.status, named.stderr.strip()) == (0, f"version {version} is the challenger")
    assert aliases() == [["champion"], ["challenger"]]
    assert workshop.run("pipelines", "models", "rollback", "--alias", "challenger").status == 0
    assert aliases() == [["challenger", "champion"], []]
    refused = workshop.run("pipelines", "models", "promote", "1", "--alias", "3")
    assert refused.status == 1
    assert "alias '3': expected a letter, then" in refused.stderr


def test_a_worse_challenger_is_kept_and_not_promoted(champion: Workshop) -> None:
    workshop = champion
    ended = workshop.retrain("train.learning_rate=0.01")
    assert ended.status == 3
    assert (ended.json["outcome"], ended.json["version"], ended.json["promoted"]) == ("rejected", 2, False)
    assert "not promoted: validation accuracy" in ended.stderr
    assert Repository(str(workshop.repository)).champion() == 1
    shown = workshop.run("pipelines", "models", "list")
    assert "rejected" in shown.stdout
    assert "These validation images have now been used to judge 2 versions" in shown.stderr


def test_a_dry_run_publishes_nothing_and_the_next_run_need_not_train_again(champion: Workshop) -> None:
    workshop = champion
    settings = ("--set", "train.epochs=2", "--set", "train.batch_size=64", "--set", "train.learning_rate=0.01")
    dry_run = workshop.run("pipelines", "retrain", "--dry-run", *settings)
    assert dry_run.status == 3
    assert "dry run: the version would be rejected: validation accuracy" in dry_run.stderr
    assert "reason  validation accuracy" in dry_run.stderr
    assert "next    the same command without --dry-run publishes it" in dry_run.stderr
    assert Repository(str(workshop.repository)).versions() == [1]
    real = workshop.run("pipelines", "retrain", *settings)
    assert real.status == 3
    assert "its weights are reused" in real.stderr
    assert "next    python -m pipelines models show 2" in real.stderr
    assert Repository(str(workshop.repository)).versions() == [1, 2]


def test_prefect_shows_the_run_with_its_lines_its_progress_and_the_card(
    workshop: Workshop, prefect_server: str
) -> None:
    named = ("--repository", str(workshop.repository))  # by which the run is told from those of other tests
    assert workshop.run("pipelines", "retrain", *named, "--set", "train.epochs=1").status == 0
    runs = httpx.post(f"{prefect_server}/flow_runs/filter", json={"sort": "START_TIME_DESC"}, timeout=60).json()
    [run] = [run for run in runs if str(workshop.repository) in json.dumps(run["parameters"])]
    assert run["state"]["type"] == "COMPLETED"
    of_run = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    artifacts = httpx.post(f"{prefect_server}/artifacts/filter", json=of_run, timeout=60).json()
    assert {a["key"]: a["data"] for a in artifacts}["training"] == 100
    assert {"learning-curves", "confusion", "model-card", "verdict"} < {a["key"] for a in artifacts}
    assert all(a["description"] for a in artifacts)
    assert run["name"].endswith(" → version 1, champion")
    assert set(run["tags"]) == {"recipe:mlp", "published", "promoted"}
    assert run["state"]["message"].startswith("published: version 1, the champion")
    of_run = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    published = "published: mnist version 1"
    eventually(  # Prefect sends log lines in batches
        lambda: any(published in line["message"] for line in _logs(prefect_server, of_run)), "the line is at the server"
    )


def _logs(server: str, query: dict[str, object]) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = httpx.post(f"{server}/logs/filter", json=query, timeout=60).json()
    return lines


def test_a_run_killed_while_training_leaves_no_version_and_the_next_one_publishes(workshop: Workshop) -> None:
    process = workshop.start(
        "pipelines", "retrain", "--set", "train.epochs=200", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stderr is not None
    assert any("epoch" in line for line in iter(process.stderr.readline, "")), "it never began to train"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert workshop.run("pipelines", "models", "list", "--json").json == []
    assert workshop.retrain().json["version"] == 1
    load(Repository(str(workshop.repository)), 1)


def test_a_run_killed_while_training_resumes_and_publishes_the_same_weights(workshop: Workshop, tmp_path: Path) -> None:
    settings = ("train.epochs=6", "train.batch_size=64", "train.ema_decay=0.99", "train.keep_best=true")
    arguments = ["retrain", *(word for s in settings for word in ("--set", s))]
    elsewhere = ["--repository", str(tmp_path / "other"), "--data-dir", str(tmp_path / "other-cache")]
    whole = workshop.run("pipelines", *arguments, "--json", *elsewhere).json
    process = workshop.start("pipelines", *arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    assert any("epoch 2/6" in line for line in iter(process.stderr.readline, "")), "it never began to train"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    ended = workshop.run("pipelines", *arguments, "--json")
    assert ended.json["outcome"] == "published"
    [line] = [
        line for line in ended.stderr.splitlines() if line.startswith("training was interrupted: it goes on after")
    ]
    assert "  epoch 1/6" not in ended.stderr
    assert line.endswith(" of 6")
    assert ended.json["weights_sha256"] == whole["weights_sha256"]


def test_an_interrupted_run_says_after_which_epoch_and_goes_on_from_there(workshop: Workshop) -> None:
    command = ("pipelines", "retrain", "--engine", "plain", "--set", "train.epochs=200")
    process = workshop.start(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    assert any("epoch" in line for line in iter(process.stderr.readline, "")), "it never began to train"
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    *_, sentence = process.stderr.read().splitlines()
    process.stderr.close()
    assert process.wait(timeout=60) == 130
    words = re.fullmatch(r"stopped after epoch (\d+) of 200; run the same command again to go on", sentence)
    assert words, sentence
    again = workshop.start(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert again.stderr is not None
    resumed = f"training was interrupted: it goes on after epoch {words[1]} of 200\n"
    assert any(line == resumed for line in iter(again.stderr.readline, "")), "it does not go on"
    again.kill()
    again.communicate()


def test_a_plain_run_publishes_the_same_weights_and_imports_no_prefect(champion: Workshop, tmp_path: Path) -> None:
    elsewhere = ("--repository", str(tmp_path / "plain"), "--engine", "plain", "--json")
    settings = ("--set", "train.epochs=2", "--set", "train.batch_size=64")
    code = "import sys; sys.modules['prefect'] = None; from pipelines.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "retrain", *elsewhere, *settings],
        cwd=ROOT,
        env=champion.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    published = json.loads(done.stdout)
    with_prefect = Repository(str(champion.repository)).manifest(1)
    assert (published["outcome"], published["weights_sha256"]) == ("published", with_prefect.files[WEIGHTS].sha256)


def test_a_run_that_is_killed_takes_its_prefect_server_with_it(
    make_workshop: Callable[..., Workshop], used_prefect_home: str
) -> None:
    workshop = make_workshop(PREFECT_HOME=used_prefect_home)
    process = workshop.start(
        "pipelines", "retrain", "--set", "train.epochs=5000", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    notes = Path(used_prefect_home) / "numeral-servers"
    eventually(lambda: list(notes.glob("*.json")), "its server starts")
    process.kill()
    process.communicate()
    eventually(lambda: not processes_that_mention(used_prefect_home), "its server has ended with it")


def test_a_full_disk_is_reported_in_one_sentence(workshop: Workshop) -> None:
    # A limit on the size of files is to a program as a full disk is: the write fails.
    limited = [
        "sh",
        "-c",
        'ulimit -f 64; exec "$@"',
        "sh",
        *workshop.command("pipelines", "retrain", "--engine", "plain"),
    ]
    done = subprocess.run(limited, cwd=ROOT, env=workshop.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "train.epoch=5"], "unknown key train.epoch; known: seed, epochs"),
        (["--recipe", "perceptron"], "no recipe 'perceptron'; known: "),
        (["--repository", "gopher://hole"], "'gopher://hole' names no repository: "),
    ],
)
def test_a_wrong_argument_is_reported_in_one_sentence(workshop: Workshop, arguments: list[str], sentence: str) -> None:
    ended = workshop.run("pipelines", "retrain", *arguments)
    assert ended.status == 1
    assert ended.stdout == ""
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_diverging_training_is_reported_in_one_sentence_and_publishes_nothing(workshop: Workshop) -> None:
    ended = workshop.retrain("train.learning_rate=1e9")
    assert ended.status == 1
    assert "Try a smaller train.learning_rate" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert workshop.run("pipelines", "models", "list", "--json").json == []


def test_a_prefect_server_that_does_not_answer_is_reported_at_once(make_workshop: Callable[..., Workshop]) -> None:
    ended = make_workshop(PREFECT_API_URL="http://127.0.0.1:9/api").retrain()
    assert ended.status == 1
    assert "no Prefect server answers at PREFECT_API_URL=http://127.0.0.1:9/api" in ended.stderr


def test_without_a_prefect_server_a_run_works_and_prints_only_its_own_lines(
    make_workshop: Callable[..., Workshop], used_prefect_home: str
) -> None:
    ended = make_workshop(PREFECT_HOME=used_prefect_home).retrain()
    assert ended.json["outcome"] == "published"
    known = (
        "train-",
        "t10k-",
        "All ",
        "verified:",
        "validated:",
        "normalized:",
        "  epoch",
        "trained:",
        "evaluated:",
        "calibrated:",
        "robustness:",
        "published:",
        "promoted:",
        "waiting for Prefect's server to start",  # on a busy machine
    )
    assert [line for line in ended.stderr.splitlines() if not line.startswith(known)] == []
