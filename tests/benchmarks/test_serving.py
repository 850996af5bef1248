"""The benchmarks of the service: what is checked, and what is said where something is missing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import rest, sides, versions
from benchmarks.h2load import framed, load
from core.artifact.repository import Repository
from core.inference.predict import load as load_version
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from tests.service.harness import STROKE
from tests.service.tiny_model import publish

ROOT = Path(__file__).parents[2]
RECOGNIZE = "/numeral.v1.Recognizer/Recognize"


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | environment, check=False
    )


@pytest.fixture
def models(tmp_path: Path) -> Repository:
    repository = Repository(str(tmp_path / "models"), writable=True)
    publish(repository, seed=1)
    return repository


def test_a_soak_without_kills_fails_no_call_and_checks_every_answer(models):
    done = run("soak", "--seconds", 6, "--swap-every", 0.4, "--kill-every", 0, "--repository", models.url, "--json")
    assert done.returncode == 0, done.stderr
    right, wrong, failed, *memory = json.loads(done.stdout)
    assert right["ours"] > 0
    assert " 0 corrupt versions" not in right["case"]
    assert wrong["ours"] == failed["ours"] == failed["theirs"] == 0
    assert [row["unit"] for row in memory] == ["MB", "MB", "MB/hour"]


def test_another_version_is_sound_and_answers_differently(models):
    number = versions.another(models, models.manifest(1), seed=5)
    images = np.random.default_rng(0).integers(0, 256, (8, 28, 28), np.uint8)
    answers = [load_version(models, version)[0].probabilities(images) for version in (1, number)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    assert models.champion() == 1


def test_an_unknown_case_ends_in_one_sentence_and_status_2():
    done = run("serving", "--case", "cals-64")
    assert done.returncode == 2
    assert "error: no case matches 'cals-64'; known: calls-64, lone-call, batches-64, tensors-64, stream" in done.stderr


def test_without_h2load_the_error_says_how_to_get_it(models, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Exception, match="h2load is not installed, and makes the load: apt-get install nghttp2-client"):
        load(1, RECOGNIZE, b"", calls=1, connections=1, streams=1)


@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
def test_rest_is_measured_without_mlserver_too(models, tmp_path, monkeypatch):
    monkeypatch.setattr(sides, "interpreter", lambda _: None)
    images = STROKE.reshape(1, 784)
    with sides.numeral(models, "--pretrained", "off") as we:
        results = rest.measure({"rest", "rest-binary", "stream"}, we, images, tmp_path, 1, 400)
    assert [(each.case, each.theirs, each.unit) for each in results] == [
        ("rest", None, "requests/s"),
        ("rest-binary", None, "requests/s"),
    ]
    assert all(each.ours > 0 for each in results)


@pytest.mark.skipif(shutil.which("h2load") is None, reason="h2load is not installed")
def test_a_load_is_measured_against_our_service_and_the_bare_handler(models):
    message = RecognizeRequest(pixels=STROKE.tobytes()).SerializeToString()
    with sides.numeral(models, "--pretrained", "off") as we:
        reply = sides.call(we.port, RECOGNIZE, message)
        ours = load(we.port, RECOGNIZE, framed(message), calls=200, connections=2, streams=2)
    with sides.bare("asyncio", reply) as they:
        assert sides.call(they.port, RECOGNIZE, message) == reply
    assert ours.rate > 0
    assert 0 < ours.middle <= ours.p99
