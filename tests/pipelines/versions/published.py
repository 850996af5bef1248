"""Small versions to compare, really trained."""

from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from tests.pipelines.runs import publish, run_in


def order_in(folder: Path) -> Order:
    """An order whose repository and data lie in a folder."""
    return Order(repository=str(folder / "models"), data_dir=folder / "data")


def trained(folder: Path, dataset: DatasetRef, *recipes: Recipe) -> tuple[Repository, list[Manifest]]:
    """A version of each recipe, in order; the first one is the champion."""
    order, store, manifests = order_in(folder), Repository(str(folder / "models"), writable=True), []
    for number, recipe in enumerate(recipes):
        manifests.append(publish(order, run_in(folder / f"work-{number}", dataset, recipe)))
        if not number:
            store.promote(1, by="a test", why="the first")
    return store, manifests


@pytest.fixture
def other(recipe: Recipe) -> Recipe:
    """The recipe with another seed and learning rate."""
    return recipe.model_copy(update={"train": recipe.train.model_copy(update={"seed": 7, "learning_rate": 0.02})})
