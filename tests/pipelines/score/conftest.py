"""A small published version, and images to read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data import idx, mnist
from core.shipped import ROOT
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.score.score_job import ScoreOrder, score
from tests.pipelines.runs import publish, run_in

IMAGES = 300


@pytest.fixture(scope="session")
def repository(dataset, tmp_path_factory):
    """A repository whose champion is a small network that takes every image for a digit."""
    folder = tmp_path_factory.mktemp("scored-by")
    recipe = load_recipe("mlp", ["data.validation_images=100", "train.epochs=1", "model.layers.0.units=8"])
    order = Order(repository=str(folder / "models"), data_dir=folder / "data")
    manifest = publish(order, run_in(folder / "work", dataset, recipe))
    order.store.promote(manifest.version, by="a test", why="to read with")
    return order.repository


@pytest.fixture(scope="session")
def digits():
    """300 of MNIST's test images, uint8 (300, 28, 28)."""
    return np.array(mnist.load(ROOT / "data" / "mnist").test_images[:IMAGES])


@pytest.fixture
def small_parts(monkeypatch):
    """64 images, or 4 pictures, in a part."""
    monkeypatch.setattr("pipelines.score.partition.IMAGES", 64)
    monkeypatch.setattr("pipelines.score.partition.PICTURES", 4)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder, an empty one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def order(here, small_parts, digits, repository) -> ScoreOrder:
    """300 images in five parts, done in this process."""
    idx.write("images", digits)
    return ScoreOrder(("images",), Path("table.csv"), repository, Path("data"), workers=1)


@pytest.fixture
def expected(order) -> bytes:
    """The table that each way must come to."""
    output = Path("expected.csv")
    score(replace(order, output=output))
    return output.read_bytes()
