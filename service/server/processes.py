"""How many processes serve: one in this process, or several under a supervisor, as Python computes on one core each."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvloop

from service.server import lifetime
from service.server.lifetime import Build, WorkerGroup
from service.server.port import METRICS, reserved
from service.server.supervisor import Supervisor
from service.settings import AUTO, RUN_DIR, Settings
from service.telemetry import exposition

__all__ = ["how_many", "serve"]

MOST_BY_DEFAULT = 4
"""Workers, unless the settings ask for more: each takes some 80 MB, and looks at the repository by itself."""


def serve(settings: Settings, build: Build, announce: Callable[[str], None]) -> int:
    """Serve with as many processes as the settings say, until SIGTERM or SIGINT; SIGHUP reloads.

    Args:
        settings: As `service.settings.read` gives them.
        build: Builds the server of a process.
        announce: Called once with `listening on HOST:PORT`, as soon as every process listens.

    Returns:
        The exit status: 0 if every call was finished, 1 if calls were cut off, 130 after a second SIGINT.

    Raises:
        ConfigError: An address cannot be listened on.
    """
    # Until the server handles it: a service that is asked to reload while it starts reads the files anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    count = how_many(settings.workers)
    with _run_folder():
        if count == 1:
            return _run(settings, build, announce)
        with ExitStack() as ports:
            port = ports.enter_context(reserved(settings.host, settings.port))
            shared = settings.model_copy(update={"port": port})
            if settings.metrics_port is not None:
                found = ports.enter_context(reserved(settings.metrics_host, settings.metrics_port, METRICS))
                shared = shared.model_copy(update={"metrics_port": found})
                os.environ.update(exposition.share(Path(os.environ[RUN_DIR])))

            def work(announce: Callable[[str], None], group: WorkerGroup) -> int:
                return _run(shared, build, announce, group)

            return Supervisor(shared, work, announce, count).run()


def how_many(workers: str) -> int:
    """The number of processes: the one in the settings, or one for each core that this process may use."""
    if workers != AUTO:
        return int(workers)
    if sys.platform != "linux":
        return 1  # other systems do not spread connections evenly over a shared port, and forking is not safe there
    return min(MOST_BY_DEFAULT, len(os.sched_getaffinity(0)), _quota())


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """The cores that a container may use; no limit if none is set."""
    try:
        quota, period = file.read_text().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):  # no such file, or "max"
        return MOST_BY_DEFAULT


def _run(settings: Settings, build: Build, announce: Callable[[str], None], group: WorkerGroup | None = None) -> int:
    """Serve in this process, on uvloop: under load, a call takes up to a tenth less CPU time than on asyncio's loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(lifetime.serve(settings, build, announce, group))


@contextmanager
def _run_folder() -> Iterator[None]:
    """Create the run folder, and name it in the variable `RUN_DIR`; a folder that is named there already is used."""
    if os.environ.get(RUN_DIR):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="numeral-", ignore_cleanup_errors=True) as folder:
        os.environ[RUN_DIR] = folder
        try:
            yield
        finally:
            del os.environ[RUN_DIR]
