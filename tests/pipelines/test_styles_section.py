"""The section `[data.styles]` of a recipe: how many drawn images train in addition to MNIST's."""

import json

import pytest

from core.errors import ConfigError
from pipelines.recipe import Recipe, load_recipe
from pipelines.report.origin import retrain_command
from pipelines.sections import HELD_OUT_SEED

OPEN_SET = 'train.loss={kind="open_set_cross_entropy"}'


def test_by_default_no_image_is_drawn() -> None:
    styles = load_recipe("mlp").data.styles
    assert (styles.digits, styles.others, styles.seed, styles.count) == (0, 0, 0, 0)


def test_drawn_images_are_counted_and_survive_json_and_the_command_that_reproduces_them() -> None:
    recipe = load_recipe("mlp", ["data.styles={digits=5, others=3, seed=7}", OPEN_SET])
    assert recipe.data.styles.count == 8
    assert Recipe.model_validate(json.loads(recipe.model_dump_json())) == recipe
    assert "data.styles={digits = 5, others = 3, seed = 7}" in retrain_command("mlp", recipe.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.styles.digits=-1", "data.styles.digits: .*greater than or equal to 0, found -1"),
        (f"data.styles.seed={HELD_OUT_SEED}", "data.styles.seed: .*less than 1000000, found 1000000"),
        ("data.styles.letters=5", "unknown key data.styles.letters; known: digits, others, seed"),
    ],
)
def test_an_impossible_section_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("mlp", [override])


@pytest.mark.parametrize("kind", ["softmax_cross_entropy", "mean_squared_error"])
def test_what_is_no_digit_needs_the_loss_that_knows_its_label(kind: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"data\.styles\.others = 3: .* train\.loss\.kind = open_set_cross_entropy, not {kind}"
    ):
        load_recipe("mlp", ["data.styles.others=3", f'train.loss.kind="{kind}"'])


LAYERS = '[{kind="dense", units=10}]'


@pytest.mark.parametrize(
    "overrides",
    [
        ["train.members=2"],
        ["model.layers=[]", f"model.members=[{LAYERS}, {LAYERS}]"],
        [f'model.layers=[{{kind="ensemble", members=[{LAYERS}, {LAYERS}]}}]'],
    ],
    ids=["members of one structure", "members of several", "one layer"],
)
def test_an_ensemble_cannot_learn_what_is_no_digit(overrides: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"data\.styles\.others = 3: .* need a single network"):
        load_recipe("mlp", ["data.styles.others=3", OPEN_SET, *overrides])
    load_recipe("mlp", ["data.styles.digits=3", *overrides])
