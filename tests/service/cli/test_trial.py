"""`python -m service trial`: real services, started, asked and stopped."""

import json
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.artifact.manifest import MANIFEST
from core.artifact.repository import Repository
from core.artifact.sealed import DIGEST, sealed
from core.artifact.trial import Trial
from tests.patience import eventually
from tests.service.harness import Process
from tests.service.tiny_model import publish

QUICK = ("--pictures", 4)
"""So that a test makes few calls."""

GENEROUS = ("--latency-allowance-ms", 100_000, "--ready-seconds", 600)
"""So that it does not depend on what else the machine does."""


@pytest.fixture
def try_it(
    run: Callable[..., subprocess.CompletedProcess[str]], folder: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a trial to its end."""
    return lambda *arguments, **options: run(
        "trial", "--repository", folder, "--json", *QUICK, *GENEROUS, *arguments, **options
    )


def children(pid: int) -> list[int]:
    """The processes whose parent is this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def rewrite_manifest(folder: Path, version: int, change: Callable[[dict], None]) -> None:
    """Change a published manifest, and seal it again, as a newer Numeral might have written it."""
    file = folder / "mnist" / str(version) / MANIFEST
    document = json.loads(file.read_bytes())
    del document[DIGEST]
    change(document)
    file.write_bytes(sealed(document))


def test_a_sound_version_passes_beside_its_champion(try_it, repository: Repository):
    champion = publish(repository, seed=1)
    candidate = publish(repository, seed=2, promote=False)
    done = try_it("--version", candidate, "--beside", champion)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    trial = Trial.model_validate(found)
    assert (found["tried"], found["passed"], trial.version, trial.beside) == (True, True, candidate, champion)
    assert [check.name for check in trial.checks] == ["start", "golden answers", "pictures", "latency", "memory"]
    assert trial.candidate.answered == trial.champion.answered == trial.pictures == 4
    assert repository.champion() == champion


def unknown_layer(document: dict) -> None:
    document["architecture"]["layers"][1]["kind"] = "unheard-of"


def newer_schema(document: dict) -> None:
    document["schema_version"] = 99


def other_golden(document: dict) -> None:
    document["golden"]["probabilities"] = [row[::-1] for row in document["golden"]["probabilities"]]


@pytest.mark.parametrize(
    ("change", "reason"),
    [(unknown_layer, "unheard-of"), (newer_schema, "schema"), (other_golden, "golden")],
    ids=["an unknown layer", "a newer schema", "other golden answers"],
)
def test_a_version_that_the_service_refuses_fails_with_its_reason(try_it, repository, folder, change, reason):
    publish(repository, seed=1)
    candidate = publish(repository, seed=2, promote=False)
    rewrite_manifest(folder, candidate, change)
    done = try_it("--version", candidate)
    assert done.returncode == 3, done.stderr
    (check,) = Trial.model_validate_json(done.stdout).checks
    assert (check.name, check.passed) == ("start", False)
    assert reason in check.found


def test_a_version_beyond_its_limits_fails_in_words(try_it, repository: Repository):
    champion = publish(repository, seed=1)
    done = try_it("--version", champion, "--beside", champion, "--memory-factor", 1, "--ready-seconds", 0.001)
    assert done.returncode == 3, done.stderr
    assert "failed: start: not ready in time, expected ready within 0.001 s" in json.loads(done.stdout)["words"]


def test_where_no_service_can_start_nothing_is_tried(try_it, repository: Repository, tmp_path: Path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "uvloop.py").write_text("raise ImportError('no uvloop here')")
    version = publish(repository, seed=1)
    done = try_it("--version", version, env={"PYTHONPATH": str(broken)}, cwd=Path(__file__).parents[3])
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "tried": False,
        "words": "no service can be started here: ImportError: no uvloop here",
    }


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux ends children with their parent")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_trial_that_is_stopped_leaves_no_service_behind(
    start: Callable[..., Process], repository: Repository, folder: Path, number
):
    version = publish(repository, seed=1)
    trial = start("trial", "--repository", folder, "--version", version, "--beside", version, "--pictures", 10_000)
    eventually(lambda: len(children(trial.popen.pid)) == 2 or trial.popen.poll() is not None)
    services = children(trial.popen.pid)
    assert len(services) == 2, trial.log
    trial.popen.send_signal(number)
    trial.popen.wait(240)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in services))
