"""The real commands, as processes of their own, against one Prefect server for the whole session."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines import engine
from tests.e2e.workshop import ROOT, Workshop


@pytest.fixture(scope="session")
def prefect_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment without any setting of the person who runs the tests, and with a Prefect home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NUMERAL_"))}
    return kept | {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "PREFECT_PROFILES_PATH": os.devnull}


@pytest.fixture(scope="session")
def prefect_server(prefect_environment: dict[str, str]) -> Iterator[str]:
    """The URL of a real Prefect server."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(prefect_environment)
    try:
        engine.prepare()
        with engine.own_server():
            yield os.environ["PREFECT_API_URL"]
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def workshop(tmp_path: Path, prefect_environment: dict[str, str], prefect_server: str) -> Workshop:
    """An empty repository and an empty cache, with the data next door instead of on the network."""
    return _workshop(tmp_path, prefect_environment | {"PREFECT_API_URL": prefect_server})


@pytest.fixture
def make_workshop(tmp_path: Path, prefect_environment: dict[str, str]) -> Callable[..., Workshop]:
    """A workshop with further variables in its environment, and no Prefect server."""
    return lambda **variables: _workshop(tmp_path, prefect_environment | variables)


def _workshop(folder: Path, environment: dict[str, str]) -> Workshop:
    repository, data_dir = folder / "models", folder / "cache"
    settings = {
        "NUMERAL_REPOSITORY": str(repository),
        "NUMERAL_DATA_DIR": str(data_dir),
        "NUMERAL_MIRRORS": json.dumps([(ROOT / "data" / "mnist").as_uri()]),
    }
    return Workshop(environment | settings, repository, data_dir)
