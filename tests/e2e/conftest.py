"""The real commands, as processes of their own, against one Prefect server for all of them."""

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.workshop import ROOT, Workshop
from tests.prefect_server import Prefect


@pytest.fixture
def prefect_server(prefect: Prefect) -> str:
    """The URL of a real Prefect server."""
    return prefect.url


@pytest.fixture
def workshop(tmp_path: Path, prefect_environment: dict[str, str], prefect_server: str) -> Workshop:
    """An empty repository and an empty cache, with the data next door instead of on the network."""
    return _workshop(tmp_path, prefect_environment | {"PREFECT_API_URL": prefect_server})


@pytest.fixture
def make_workshop(tmp_path: Path, prefect_environment: dict[str, str]) -> Callable[..., Workshop]:
    """A workshop with further variables in its environment, no Prefect server, and a Prefect home of its own."""
    home = {"PREFECT_HOME": str(tmp_path / "prefect")}
    return lambda **variables: _workshop(tmp_path, prefect_environment | home | variables)


@pytest.fixture
def used_prefect_home(tmp_path: Path, prefect: Prefect) -> str:
    """A Prefect home as an earlier run has left it: what a fresh one costs is twenty seconds of migrations."""
    home = tmp_path / "prefect"
    home.mkdir()
    shutil.copy(prefect.database, home / "prefect.db")
    return str(home)


@pytest.fixture
def champion(workshop: Workshop, shared_folder: Path, prefect_environment: dict[str, str]) -> Workshop:
    """A workshop in whose repository version 1 is champion: what `workshop.retrain()` publishes, trained once."""
    source = shared_folder / "champion"
    with (shared_folder / "champion.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (source / "models").exists():
            first = _workshop(source / "new", workshop.environment)
            assert first.retrain().json["outcome"] == "published"
            first.repository.rename(source / "models")
    shutil.copytree(source / "models", workshop.repository)
    return workshop


def _workshop(folder: Path, environment: dict[str, str]) -> Workshop:
    repository, data_dir = folder / "models", folder / "cache"
    settings = {
        "NUMERAL_REPOSITORY": str(repository),
        "NUMERAL_DATA_DIR": str(data_dir),
        "PREFECT_LOCAL_STORAGE_PATH": str(folder / "storage"),  # for what runs would hand on as pickles
        "NUMERAL_INFRA_GATE": "off",  # a trial takes seconds; only the tests of it have one
        "NUMERAL_MIRRORS": json.dumps([(ROOT / "data" / "mnist").as_uri()]),
    }
    return Workshop(environment | settings, repository, data_dir)
