"""Recipes: a file that is wrong is refused in one sentence, which lists what is known."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from pipelines.recipe import Recipe, load_recipe, recipe_path

RECIPES = sorted(path.stem for path in recipe_path("mlp").parent.glob("*.toml"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_recipe_is_valid(name: str) -> None:
    assert isinstance(load_recipe(name), Recipe)


def test_the_recipe_mlp_is_784_128_10() -> None:
    recipe = load_recipe("mlp")
    assert recipe.model.input_shape == (784,)
    assert [layer.get("units") for layer in recipe.model.layers if layer["kind"] == "dense"] == [128, 10]


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no recipe 'perceptron'; known: .*mlp"):
        load_recipe("perceptron")


def test_a_recipe_of_ones_own_is_given_by_its_path(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(recipe_path("mlp").read_text("utf-8").replace("units = 128", "units = 64"), "utf-8")
    assert load_recipe(str(mine)).model.layers[0]["units"] == 64


def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[train\n", "utf-8")
    with pytest.raises(ConfigError, match="broken.toml: not TOML"):
        load_recipe(str(broken))


def test_a_description_is_shown_only_while_it_is_true() -> None:
    described = load_recipe("mlp").description
    assert "128" in described
    assert load_recipe("mlp", ["promotion.min_accuracy=0.5", "train.epochs=15"]).description == described
    assert load_recipe("mlp", ["model.layers.0.units=64", "train.seed=2"]).description == (
        "With other model.layers, train.seed"
    )
    assert load_recipe("mlp", ["model.layers.0.units=64", "description=Half the units"]).description == "Half the units"
