"""Publishers that are real processes: concurrent, without permission to write, and killed at every point."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from signal import SIGKILL

import pytest

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.errors import VersionNotFoundError
from core.inference.predict import load

from .builders import publish

ROOT = Path(__file__).parents[3]
PUBLISHER = Path(__file__).with_name("publisher.py")
NOBODY = 65534


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PUBLISHER), folder.as_uri(), *options]
    # One thread: eight processes that each open a pool of BLAS threads would only get in each other's way.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    process = start(folder, *options)
    output, errors = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def assert_whole(repository: Repository, *versions: int) -> None:
    for version in versions:
        load(repository, version)  # digests, shapes, and the golden outputs


def test_eight_concurrent_processes_get_different_numbers_and_lose_nothing(
    on_disk: Repository, folder: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    processes = [start(folder, f"--seed={100 * k}", "--versions=2", f"--await={go}") for k in range(8)]
    time.sleep(0.5)  # most have started by then; the others come a little later
    go.touch()
    published: dict[int, str] = {}
    for process in processes:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        lines = [line.split() for line in output.splitlines()]
        assert len(lines) == 2
        published |= {int(version): digest for version, digest in lines}
    assert sorted(published) == on_disk.versions() == list(range(1, 17))
    for version, digest in published.items():
        assert on_disk.manifest(version).files[WEIGHTS].sha256 == digest
    assert len(set(published.values())) == 16
    assert_whole(on_disk, *published)
    moves = on_disk.alias().history()
    assert sorted(move.version for move in moves) == sorted(published)
    assert [move.previous for move in moves] == [None, *(move.version for move in moves[:-1])]


# killed

PUTS = ("weights", "report", "card", "manifest", "promotion")
MOMENTS = [f"{when}:{number}" for number, when in product(range(1, len(PUTS) + 1), ("before", "after"))]


@pytest.fixture
def standing(on_disk: Repository) -> Repository:
    """A repository with two versions, of which the first is champion."""
    publish(on_disk, 0)
    publish(on_disk, 1)
    on_disk.promote(1, by="a test", why="it says so")
    return on_disk


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m.split(':')[0]} {PUTS[int(m.split(':')[1]) - 1]}")
def test_a_kill_at_any_step_harms_no_version_and_leaves_no_partial_one(
    standing: Repository, folder: Path, moment: str
) -> None:
    when, number = moment.split(":")
    puts = int(number) if when == "after" else int(number) - 1
    before = [(folder / f"mnist/{v}/{f}").read_bytes() for v in (1, 2) for f in (WEIGHTS, "manifest.json")]

    assert run(folder, "--seed=7", f"--die={moment}").returncode == -SIGKILL

    exists, promoted, claimed = puts >= 4, puts >= 5, puts >= 1
    assert standing.versions() == ([1, 2, 3] if exists else [1, 2])
    assert standing.champion() == (3 if promoted else 1)
    assert_whole(standing, *standing.versions())
    after = [(folder / f"mnist/{v}/{f}").read_bytes() for v in (1, 2) for f in (WEIGHTS, "manifest.json")]
    assert after == before
    if not exists:
        with pytest.raises(VersionNotFoundError):
            standing.manifest(3)

    following = publish(standing, 8)
    assert following.version == (4 if claimed else 3)
    standing.promote(following.version, by="a test", why="the newest")
    assert standing.champion() == following.version
    assert_whole(standing, *standing.versions())


MEGABYTE = 1 << 20


def kill_within_the_put(folder: Path, version: int, written: int) -> bool:
    """Kill a publisher while it writes 96 MB of weights, once `written` bytes are there.

    Returns:
        Whether the kill came in time; where it came too late, what was put is taken away again.
    """
    whole = folder / f"mnist/{version}" / WEIGHTS

    def sizes() -> list[int]:
        """Of what has a provisional name; a put gives the object its own when all is written."""
        return [path.stat().st_size for path in whole.parent.glob(f"{WEIGHTS}#*")]

    for path in whole.parent.glob(f"{WEIGHTS}#*"):
        path.unlink()
    process = start(folder, "--claim-megabytes=96")
    with suppress(FileNotFoundError):  # it was given its name meanwhile
        while process.poll() is None and max(sizes(), default=-1) < written:
            time.sleep(0.0002)
    process.kill()
    process.communicate(timeout=600)
    if whole.exists():
        whole.unlink()
        return False
    return any(size < 96 * MEGABYTE for size in sizes())


@pytest.mark.parametrize("written", [0, 10 * MEGABYTE, 60 * MEGABYTE])
def test_a_kill_in_the_middle_of_a_put_leaves_nothing_that_looks_like_a_version(
    standing: Repository, folder: Path, written: int
) -> None:
    # A busy machine may let the put end before the kill; five times in a row it does not.
    assert any(kill_within_the_put(folder, 3, written) for _ in range(5))

    assert standing.versions() == [1, 2]
    assert standing.champion() == 1
    assert standing.snapshot().versions == (1, 2)
    assert_whole(standing, 1, 2)
    following = publish(standing, 8)
    assert following.version == 3  # never claimed: the name had not been given
    assert_whole(standing, 1, 2, 3)
    for path in (folder / "mnist/3").glob(f"{WEIGHTS}#*"):
        path.unlink()


# without leave to write


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A repository with one version, which everyone may read and no one may write."""
    with tempfile.TemporaryDirectory() as parent:  # unlike tmp_path, it can be opened to another user
        Path(parent).chmod(0o755)
        folder = Path(parent) / "models"
        publish(Repository(str(folder), writable=True))
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield folder
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_folder_that_may_only_be_read_is_named_with_the_reason(closed_folder: Path) -> None:
    user = [f"--user={NOBODY}"] if os.getuid() == 0 else []  # root may write anywhere
    done = run(closed_folder, *user)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        f"RepositoryError: repository {closed_folder.as_uri()}: cannot write mnist/2/{WEIGHTS}"
    )
    assert "Permission denied" in done.stderr
    reader = Repository(str(closed_folder))
    assert reader.versions() == [1]
    assert_whole(reader, 1)
