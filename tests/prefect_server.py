"""One Prefect server for all tests of a run, in whichever process of pytest-xdist they are.

The first process that needs the server starts a keeper, which starts the server, as `python -m pipelines schedule`
does, and says in a file where it is. Every process that uses the server holds a connection to the keeper. When the last
connection closes, the keeper stops the server and ends. The system closes the connections of a process that is killed,
so the server ends however the tests end.
"""

import fcntl
import json
import os
import selectors
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines import engine

ROOT = Path(__file__).resolve().parents[1]
STARTS_WITHIN = 240.0
KEEPER = ["-m", "tests.prefect_server"]


def state_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of a run of a flow or a task, as the server shows it. For a moment after it was made, it has none."""
    return run["state"] or {"type": None, "message": None}


@dataclass(frozen=True)
class Prefect:
    """A running server."""

    url: str
    database: Path
    """A copy of its database as it was before its first run: migrated, and empty."""

    @classmethod
    def written_in(cls, place: Path) -> tuple["Prefect", int]:
        """What a keeper wrote, and the port on which it listens.

        Raises:
            FileNotFoundError: There is no keeper yet.
        """
        said = json.loads(place.read_text("utf-8"))
        return cls(said["url"], Path(said["database"])), said["port"]


@pytest.fixture(scope="session")
def prefect_environment(shared_folder: Path) -> dict[str, str]:
    """The environment without any setting of the person who runs the tests, and with a Prefect home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NUMERAL_"))}
    return kept | {"PREFECT_HOME": str(shared_folder / "prefect"), "PREFECT_PROFILES_PATH": os.devnull}


@pytest.fixture(scope="session")
def prefect(shared_folder: Path, prefect_environment: dict[str, str]) -> Iterator[Prefect]:
    """A real Prefect server, which all tests of a run share: ask it for your own runs alone."""
    with using(shared_folder, prefect_environment) as prefect:
        yield prefect


@contextmanager
def using(folder: Path, environment: Mapping[str, str]) -> Iterator[Prefect]:
    """Use the server that is kept in `folder` until the block ends; start it if need be."""
    place = folder / "keeper.json"
    with (folder / "keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _joined(place) or _started(place, environment)
    prefect, lifeline = found
    with lifeline:
        yield prefect


def _joined(place: Path) -> tuple[Prefect, socket.socket] | None:
    try:
        prefect, port = Prefect.written_in(place)
        return prefect, socket.create_connection(("127.0.0.1", port))
    except (FileNotFoundError, ConnectionError):
        return None


def _started(place: Path, environment: Mapping[str, str]) -> tuple[Prefect, socket.socket]:
    place.unlink(missing_ok=True)
    ours, its = socket.socketpair()
    with its:
        keeper = subprocess.Popen(
            [sys.executable, *KEEPER, str(place), str(its.fileno())],
            cwd=ROOT,
            env=dict(environment),
            pass_fds=[its.fileno()],
            start_new_session=True,  # an interrupt of the tests is not for it: it ends when they do
        )
    deadline = time.monotonic() + STARTS_WITHIN
    while not place.exists():
        assert keeper.poll() is None, "the keeper of the Prefect server has ended"
        assert time.monotonic() < deadline, "the Prefect server does not start"
        time.sleep(0.05)
    return Prefect.written_in(place)[0], ours


def keep(place: Path, lifeline: socket.socket, server: AbstractContextManager[object]) -> None:
    """Run a Prefect server until the lifeline and all connections are closed."""
    with server, socket.create_server(("127.0.0.1", 0)) as listener:
        database = place.with_name("migrated.db")
        with (
            closing(sqlite3.connect(Path(os.environ["PREFECT_HOME"]) / "prefect.db")) as source,
            closing(sqlite3.connect(database)) as target,
        ):
            source.backup(target)
        said = {"url": os.environ["PREFECT_API_URL"], "database": str(database), "port": listener.getsockname()[1]}
        written = place.with_suffix(".new")
        written.write_text(json.dumps(said), "utf-8")
        written.replace(place)
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(lifeline, selectors.EVENT_READ)
            while len(selector.get_map()) > 1:
                for key, _ in selector.select():
                    if key.fileobj is listener:
                        selector.register(listener.accept()[0], selectors.EVENT_READ)
                    else:  # nothing is ever sent: it is the end
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]
    with suppress(FileNotFoundError):
        place.unlink()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    engine.prepare()
    keep(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), engine.own_server())
