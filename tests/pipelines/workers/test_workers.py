"""Workers, as processes of this machine and on a real Dask cluster."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from core.errors import ConfigError, WorkerLostError
from pipelines.workers.on_dask import OnDask
from pipelines.workers.processes import Processes
from tests.patience import eventually
from tests.pipelines.workers.units import Failing, Part, fail, square

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["processes", "dask"])
def workers(request):
    """Two workers."""
    if request.param == "dask":
        pytest.importorskip("distributed")
    with Processes(2) if request.param == "processes" else OnDask(None, 2) as two:
        yield two


def test_every_part_is_done_once_and_comes_with_its_result(workers, tmp_path):
    found = {part.number: result for part, result in workers.run(square, (Part(n, tmp_path) for n in range(7)))}

    assert found == {n: n * n for n in range(7)}
    assert len(list(tmp_path.iterdir())) == 7


def test_the_part_of_a_worker_that_was_killed_is_done_by_another(workers, tmp_path):
    parts = [Part(0, tmp_path), Part(1, tmp_path, dying=1), Part(2, tmp_path)]

    assert {part.number: result for part, result in workers.run(square, iter(parts))} == {0: 0, 1: 1, 2: 4}
    assert (tmp_path / "1-0").read_text() != (tmp_path / "1-1").read_text()


def test_a_part_that_kills_every_worker_is_named_by_the_error(workers, tmp_path):
    with pytest.raises(WorkerLostError, match="part 5: each worker that began it ended without an answer"):
        list(workers.run(square, iter([Part(5, tmp_path, dying=99)])))


def test_an_error_of_a_part_is_raised_as_it_is(workers, tmp_path):
    with pytest.raises(LookupError, match="part 3"):
        list(workers.run(fail, iter([Part(3, tmp_path)])))


def test_the_next_parts_may_depend_on_the_results_so_far(workers, tmp_path):
    known: list[int] = []

    def asked():
        for _ in range(6):
            yield Part(len(known), tmp_path)

    for _, result in workers.run(square, asked()):
        known.append(result)

    assert min(known) == 0
    assert max(known) >= 9  # six parts by two workers: the last one was asked for when at least four were known


def test_a_worker_that_dies_between_two_parts_is_replaced(tmp_path):
    with Processes(1) as one:
        list(one.run(square, iter([Part(1, tmp_path)])))
        pid = int((tmp_path / "1-0").read_text())
        os.kill(pid, signal.SIGKILL)
        # Of a process that has ended, even unwaited for, there is no such file.
        eventually(lambda: not Path(f"/proc/{pid}/exe").exists(), "the worker has ended")
        assert [result for _, result in one.run(square, iter([Part(2, tmp_path)]))] == [4]


def test_no_worker_outlives_the_block(tmp_path):
    with Processes(2) as two:
        list(two.run(square, (Part(n, tmp_path) for n in range(4))))
        pids = {int(file.read_text()) for file in tmp_path.iterdir()}

    assert pids
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a process that was killed")
def test_no_worker_outlives_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "from pipelines.workers.processes import Processes\n"
        "from tests.pipelines.workers.units import Part, square\n"
        "if __name__ == '__main__':\n"
        "    with Processes(1) as one:\n"
        "        list(one.run(square, iter([Part(1, Path(sys.argv[1]))])))\n"
        "        print('done', flush=True); sys.stdin.read()\n"
    )
    folder = tmp_path / "parts"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment) as parent:
        assert parent.stdout.readline() == b"done\n"
        parent.kill()
    worker = Path("/proc") / (folder / "1-0").read_text()
    eventually(lambda: not worker.exists(), "the worker has ended with its parent")


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """A scheduler of its own, without workers: its address, and what kills it."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("pipelines.workers.on_dask._CONNECTS_WITHIN", "5s")
    file = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    command += ["--no-dashboard", "--scheduler-file", str(file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not (file.exists() and file.read_text().endswith("}")):
            assert process.poll() is None
            time.sleep(0.01)

        def kill():
            process.kill()
            process.wait()

        yield json.loads(file.read_text())["address"], kill
        kill()


class Unasked(OnDask):
    """Counts its workers without asking the scheduler."""

    count = 1


@pytest.mark.parametrize("kind", [OnDask, Unasked])
def test_the_end_of_the_scheduler_is_told_with_the_next_step(scheduler, tmp_path, kind, caplog):
    address, kill = scheduler
    logging.getLogger("distributed.client").addHandler(caplog.handler)

    def parts():
        kill()
        yield Part(1, tmp_path)

    words = f"the Dask scheduler at {address} is gone; start it, then run the same command again to go on"
    with kind(address, 1) as workers, pytest.raises(WorkerLostError, match=words):
        list(workers.run(square, parts()))
    logging.getLogger("distributed.client").removeHandler(caplog.handler)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("error", [OSError(errno.ESTALE, "stale"), CancelledError("own"), TimeoutError("own")])
def test_an_error_of_a_part_that_looks_like_one_of_the_cluster_is_the_parts_own(tmp_path, error):
    pytest.importorskip("distributed")
    with OnDask(None, 1) as workers, pytest.raises(type(error), match="stale|own"):
        list(workers.run(Failing(error), iter([Part(1, tmp_path)])))


@pytest.mark.parametrize("error", [OSError("no"), KeyboardInterrupt()])
def test_a_cluster_that_was_started_is_closed_if_nothing_connects_to_it(monkeypatch, error):
    distributed = pytest.importorskip("distributed")
    closed = []

    class Cluster:
        def __init__(self, **given):
            self.close = lambda: closed.append(given["n_workers"])

    def client(*given, **more):
        raise error

    monkeypatch.setattr(distributed, "LocalCluster", Cluster)
    monkeypatch.setattr(distributed, "Client", client)
    expected = ConfigError if isinstance(error, OSError) else KeyboardInterrupt
    words = "no Dask cluster of 3 workers can be started on this machine: no; try fewer --workers"
    with pytest.raises(expected, match=words if isinstance(error, OSError) else None):
        OnDask(None, 3).__enter__()
    assert closed == [3]


def test_a_cluster_that_does_not_answer_is_named_with_the_next_step(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("pipelines.workers.on_dask._CONNECTS_WITHIN", "1s")

    with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp://127.0.0.1:1.*dask scheduler"):
        OnDask("tcp://127.0.0.1:1", 1).__enter__()
