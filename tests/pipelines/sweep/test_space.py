"""The space of a sweep: what its file may say, and what is refused before anything starts."""

import pytest

from core.errors import ConfigError
from core.shipped import ROOT
from pipelines.recipe import load_recipe
from pipelines.sweep.space import Between, OneOf
from pipelines.sweep.space_file import read_space


def space_of(tmp_path, text):
    file = tmp_path / "space.toml"
    file.write_text(text)
    return read_space(file)


def test_a_space_has_intervals_and_choices_section_by_section(tmp_path):
    space = space_of(
        tmp_path,
        """
        [train.learning_rate]
        low = 1e-3
        high = 1
        log = true
        [model.layers.0.units]
        low = 32
        high = 128
        step = 32
        [train.optimizer]
        choices = [{ kind = "sgd", momentum = 0.9 }, { kind = "adam" }]
        """,
    )
    assert space.parameters == (
        Between("train.learning_rate", 0.001, 1.0, log=True),
        OneOf("train.optimizer", ('{kind = "sgd", momentum = 0.9}', '{kind = "adam"}')),
        Between("model.layers.0.units", 32, 128, step=32),
    )
    assert [one.whole for one in space.parameters if isinstance(one, Between)] == [False, True]


def test_values_become_overrides_that_give_the_recipe_these_values(tmp_path):
    space = space_of(tmp_path, '[train.optimizer]\nchoices = [{ kind = "adam" }]\n[train.batch_size]\nlow=8\nhigh=64')
    overrides = space.overrides({"train.optimizer": '{kind = "adam"}', "train.batch_size": 48})
    recipe = load_recipe("mlp", overrides)
    assert recipe.train.optimizer == {"kind": "adam"}
    assert recipe.train.batch_size == 48


def test_the_shipped_space_fits_the_recipe_and_holds_its_own_values():
    space = read_space(ROOT / "recipes" / "spaces" / "mlp.toml")
    space.check("mlp", ())
    own = space.own(load_recipe("mlp"))
    assert own is not None
    assert load_recipe("mlp", space.overrides(own)).train == load_recipe("mlp").train


def test_a_recipe_outside_the_space_has_no_values_of_its_own_in_it(tmp_path):
    space = space_of(tmp_path, "[train.learning_rate]\nlow = 0.2\nhigh = 0.3")
    assert space.own(load_recipe("mlp")) is None


@pytest.mark.parametrize(
    ("choices", "override", "own"),
    [
        ("[0, 0.001]", "train.clip_norm=0.0", "0"),
        ('[{kind="sgd"}, {weight_decay=0, kind="adamw"}]', 'train.optimizer={kind="adamw", weight_decay=0.0}', 1),
        ("[true, false]", "train.keep_best=true", "true"),
        ("[1, 0]", "train.keep_best=true", None),  # which makes a recipe as little as text does
    ],
)
def test_a_choice_is_the_recipes_own_if_it_means_the_same(tmp_path, choices, override, own):
    key = override.partition("=")[0]
    space = space_of(tmp_path, f"[{key}]\nchoices = {choices}")
    (one,) = space.parameters
    assert isinstance(one, OneOf)
    wanted = one.choices[own] if isinstance(own, int) else own
    assert space.own(load_recipe("mlp", [override])) == (wanted and {key: wanted})


def test_a_whole_number_in_an_interval_of_floats_is_the_float_that_a_trial_has(tmp_path):
    space = space_of(tmp_path, "[train.optimizer.weight_decay]\nlow = 0\nhigh = 0.1")
    own = space.own(load_recipe("mlp", ['train.optimizer={kind="adamw", weight_decay=0}']))
    assert own is not None
    assert space.overrides(own) == ("train.optimizer.weight_decay=0.0",)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", r"found nothing to vary, expected a table for each key"),
        ("learning_rate = 3", r"space\.toml: learning_rate: found 3, expected a table with low, high, log, step; or"),
        ("[train.learning_rate]", r"space\.toml: train\.learning_rate: found an empty table, expected low, high"),
        ("[train.learning_rate]\nlow = 1", r"train\.learning_rate: found no high, expected both low and high"),
        ("[train.learning_rate]\nlow = 2\nhigh = 1", r"found low = 2 and high = 1, expected low below high"),
        ("[train.learning_rate]\nlow = 1\nhigh = 1", r"found low = 1 and high = 1, expected low below high"),
        ("[train.learning_rate]\nlow = 'a'\nhigh = 1", r'train\.learning_rate\.low: found "a", expected a number'),
        ("[train.learning_rate]\nlow = true\nhigh = 2", r"low: found true, expected a number"),
        ("[train.learning_rate]\nlow = nan\nhigh = 2", r"low: found nan, expected a number"),
        ("[train.learning_rate]\nlow = 0\nhigh = 1\nlog = true", r"found log = true with low = 0, expected with log"),
        ("[train.learning_rate]\nlow = 1\nhigh = 2\nlog = 1", r"learning_rate\.log: found 1, expected true or false"),
        ("[train.epochs]\nlow = 1\nhigh = 9\nlog = true\nstep = 2", r"found log = true with step = 2"),
        ("[train.epochs]\nlow = 1\nhigh = 9\nstep = 20", r"train\.epochs\.step: found 20, expected a number above 0"),
        ("[train.epochs]\nlow = 1\nhigh = 9\nsteps = 2", r"found the unknown key steps, expected low, high, log, step"),
        ("[train.schedule]\nchoices = []", r"train\.schedule\.choices: found \[\], expected a list of at least one"),
        ("[train.schedule]\nchoices = ['a', 'a']", r'found "a" twice, expected each value once'),
        ("[train.batch_size]\nchoices = [1, 1.0]", r"found 1 and 1\.0, which are the same, expected each value once"),
        (
            "[train.optimizer]\nchoices = [{a=0, b=[1]}, {b=[1.0], a=0}]",
            r"which are the same, expected each value once",
        ),
        ("[train.seed]\nlow = 1\nhigh = 9", r"train\.seed cannot be part of a space: luck is no setting"),
        ("[promotion.min_accuracy]\nlow = 0\nhigh = 1", r"promotion cannot be part|promotion\.min_accuracy cannot be"),
        ("[data.split_seed]\nlow = 0\nhigh = 1", r"all trials must be compared on the same images"),
        ("[train", r"not TOML"),
    ],
)
def test_a_file_that_is_no_space_is_refused_by_key_found_and_wanted(tmp_path, text, wanted):
    with pytest.raises(ConfigError, match=wanted):
        space_of(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"--space .*none\.toml: No such file"):
        read_space(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[train.leaning_rate]\nlow = 1\nhigh = 2", r"train\.leaning_rate: 1 makes no recipe: .*unknown key"),
        ("[train.learning_rate]\nlow = -1.0\nhigh = 2", r"train\.learning_rate: -1\.0 makes no recipe"),
        ("[train.optimizer]\nchoices = [{ kind = 'best' }]", r'\{kind = "best"\} makes no recipe: .*unknown kind'),
        ("[model.layers.7.units]\nlow = 1\nhigh = 2", r"model\.layers\.7\.units: 1 makes no recipe"),
    ],
)
def test_a_value_that_makes_no_recipe_is_named_before_anything_starts(tmp_path, text, wanted):
    with pytest.raises(ConfigError, match=wanted):
        space_of(tmp_path, text).check("mlp", ())


def test_a_combination_that_makes_no_recipe_is_named_as_a_whole(tmp_path):
    text = """
    [data.styles.others]
    choices = [0, 50]
    [train.loss]
    choices = [{ kind = "open_set_cross_entropy" }, { kind = "softmax_cross_entropy" }]
    """
    with pytest.raises(ConfigError, match=r"the combination data\.styles\.others=50, train\.loss=.*softmax.* makes no"):
        space_of(tmp_path, text).check("mlp", ["train.loss={kind = 'open_set_cross_entropy'}"])
