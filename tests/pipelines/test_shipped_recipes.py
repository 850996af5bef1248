"""The shipped recipes: each one is read, builds a network, and has a description."""

import numpy as np
import pytest

from core.shipped import ROOT
from pipelines.recipe import load_recipe

NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("*.toml"))


def test_the_shipped_recipes_are_these() -> None:
    assert NAMES == ["cnn", "ensemble", "judge", "minute", "mlp", "mlp-augmented", "mlp-wide", "vanishing"]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_builds_a_network_of_ten_outputs_and_describes_itself(name: str) -> None:
    recipe = load_recipe(name)
    network = recipe.build(np.random.default_rng(0))
    images = np.zeros((2, *network.input_shape), np.float32)
    assert network.forward(images).shape == (2, 10)
    assert recipe.description


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_validates_on_the_same_images(name: str) -> None:
    data, usual = load_recipe(name).data, load_recipe("mlp").data
    assert (data.validation_images, data.split_seed) == (usual.validation_images, usual.split_seed)


def test_the_members_of_the_ensemble_differ_in_structure_and_seed() -> None:
    members = load_recipe("ensemble").members()
    first_kernels = [member.model.layers[0]["kernel"] for member in members]
    assert first_kernels == [3, 5, 7]
    assert [member.train.seed for member in members] == [1, 2, 3]
