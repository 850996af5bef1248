"""A repository of many versions, made cheaply."""

import os
from pathlib import Path

from core.artifact.manifest import MANIFEST
from core.artifact.repository import Repository
from tests.service.tiny_model import publish


def many(repository: Repository, folder: Path, count: int) -> None:
    """Publish a version, and make copies of it: each has a manifest of its own, and shares the other files.

    Args:
        repository: Where; it must be empty.
        folder: The folder that it is.
        count: How many versions it is to have.
    """
    first = repository.manifest(publish(repository, seed=1))
    for number in range(2, count + 1):
        version = folder / repository.model / str(number)
        version.mkdir()
        for filename in first.files:
            os.link(folder / repository.model / "1" / filename, version / filename)
        copy = first.model_copy(update={"version": number, "fingerprint": f"{number:064x}"})
        (version / MANIFEST).write_bytes(copy.encode())
