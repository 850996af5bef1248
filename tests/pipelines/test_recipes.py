"""The recipes that ship: each can be read, builds, and says what it is."""

import numpy as np
import pytest

from pipelines.config import ROOT, load_recipe

NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("*.toml"))


def test_these_ship() -> None:
    assert NAMES == ["cnn", "ensemble", "mlp", "mlp-augmented", "mlp-wide", "vanishing"]


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_a_network_that_reads_digits_and_describes_itself(name: str) -> None:
    recipe = load_recipe(name)
    network = recipe.build(np.random.default_rng(0))
    images = np.zeros((2, *network.input_shape), np.float32)
    assert network.forward(images).shape == (2, 10)
    assert recipe.description


@pytest.mark.parametrize("name", NAMES)
def test_all_are_judged_on_the_same_validation_images(name: str) -> None:
    assert load_recipe(name).data == load_recipe("mlp").data


def test_an_ensembles_members_differ_in_structure_and_in_seed() -> None:
    members = load_recipe("ensemble").members()
    first_kernels = [member.model.layers[0]["kernel"] for member in members]
    assert first_kernels == [3, 5, 7]
    assert [member.train.seed for member in members] == [1, 2, 3]
