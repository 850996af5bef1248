"""A small data set of real MNIST digits, as the four IDX files that a run would have brought."""

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from core.data import idx, mnist
from core.shipped import ROOT
from pipelines.promotion import slices
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef, FileRef

SMALL = {"train": 600, "test": 200}


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    """600 training and 200 test images."""
    folder = tmp_path_factory.mktemp("small-mnist")
    whole = mnist.load(ROOT / "data" / "mnist")
    files = {}
    for file in mnist.FILES:
        array = getattr(whole, file.role)[: SMALL[file.role.partition("_")[0]]]
        path = folder / f"{file.name}.gz"
        idx.write(path, array)
        files[file.name] = FileRef(path=path, sha256=hashlib.sha256(idx.encode(array)).hexdigest())
    return DatasetRef(files=files, train_images=SMALL["train"], test_images=SMALL["test"])


@pytest.fixture
def recipe() -> Recipe:
    """The recipe `mlp`, made small."""
    return load_recipe(
        "mlp",
        [
            "data.validation_images=100",
            "train.epochs=3",
            "model.layers.0.units=16",
            "promotion.min_accuracy=0.3",
            "promotion.min_digit_accuracy=0",
            "promotion.max_accuracy_drop=0.1",  # fewer images than 29 would be too few for it
            "promotion.max_robustness_drop=1",
        ],
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where an unfinished run keeps its results."""
    return tmp_path / "work"


@pytest.fixture(autouse=True)
def no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial starts services, which takes seconds: only the tests of it have one."""
    monkeypatch.setenv("NUMERAL_INFRA_GATE", "off")


@pytest.fixture(autouse=True)
def few_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty drawn digits instead of 500, which take two seconds: too few to decide anything."""
    monkeypatch.setattr(slices, "_DRAWN_COUNT", 20)


@pytest.fixture
def lockless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system knows no locks."""

    def flock(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
