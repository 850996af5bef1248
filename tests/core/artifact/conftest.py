from pathlib import Path

import pytest

from core.artifact.repository import Repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the repository on disk lies."""
    return tmp_path / "models"


@pytest.fixture
def on_disk(folder: Path) -> Repository:
    return Repository(str(folder), writable=True)


@pytest.fixture(params=["disk", "memory"])
def repository(request: pytest.FixtureRequest, folder: Path) -> Repository:
    """The same promises on every kind of store."""
    return Repository(str(folder) if request.param == "disk" else "memory://", writable=True)
