"""`--vary KEY=A,B,C`: which values it names, and what is refused."""

import pytest

from core.errors import ConfigError
from pipelines.study.grid import Axis, grid
from pipelines.study.question import Question


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("train.learning_rate=0.01,0.1,1", ("0.01", "0.1", "1")),
        ("model.layers.0.init=he_normal,zeros", ('"he_normal"', '"zeros"')),
        ('train.diagnose_every="auto",0', ('"auto"', "0")),
        (
            'train.optimizer={kind="sgd"},{kind="adam", beta1=0.8}',
            ('{kind = "sgd"}', '{kind = "adam", beta1 = 0.8}'),
        ),
    ],
)
def test_values_are_toml_or_text_with_commas_between_them(text: str, values: tuple[str, ...]) -> None:
    axis = Axis.parse(text)
    assert axis.values == values
    assert len(grid("mlp", [axis])) == len(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.epochs", "expected KEY=A,B,C"),
        ("=1,2", "expected KEY=A,B,C"),
        ("train.epochs=3", "found 1 different of 1 values, expected two or more"),
        ("train.epochs=3,3", "found 1 different of 2 values"),
        ("data.split_seed=1,2", "all variants of a study train and validate on the same images"),
        ("data.validation_images=10,20", "all variants of a study train and validate on the same images"),
        ("train.threads=1,2", "vary a key of model or train"),
    ],
)
def test_what_cannot_vary_is_refused_with_the_next_step(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Axis.parse(text)


def test_two_axes_make_every_combination_each_with_its_name_and_overrides() -> None:
    axes = [Axis.parse("train.learning_rate=0.1,1"), Axis.parse("train.batch_size=16,32")]
    variants = grid("mlp", axes, ["train.epochs=2"])
    assert [variant.name for variant in variants] == [
        "learning_rate 0.1, batch_size 16",
        "learning_rate 0.1, batch_size 32",
        "learning_rate 1, batch_size 16",
        "learning_rate 1, batch_size 32",
    ]
    train = variants[2].resolved().train
    assert (train.learning_rate, train.batch_size, train.epochs) == (1, 16, 2)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["model.layers.0.units", "model.layers.2.units"], "0.units 8, 2.units 8"),
        (["model.layers.0.units", "train.batch_size"], "units 8, batch_size 8"),
        (["a.b", "c.a.b"], "a.b 8, c.a.b 8"),
    ],
)
def test_a_variants_name_has_as_much_of_each_key_as_tells_them_apart(keys: list[str], name: str) -> None:
    assert grid("mlp", [Axis.parse(f"{key}=8,9") for key in keys])[0].name == name


def test_studies_of_other_keys_have_other_pages() -> None:
    asked = [Question.asked(None, [f"model.layers.{at}.init=he_normal,zeros"], None, [], None) for at in (0, 2)]
    assert [question.name for question in asked] == ["mlp-model.layers.0.init", "mlp-model.layers.2.init"]


def test_more_variants_than_a_chart_can_show_are_refused() -> None:
    axes = [Axis.parse("train.seed=1,2,3,4,5"), Axis.parse("train.batch_size=1,2,3,4,5")]
    with pytest.raises(ConfigError, match="5 × 5 values make 25 variants, expected at most 24"):
        grid("mlp", axes)


def test_a_value_that_all_share_is_refused_for_a_key_that_varies_and_no_other() -> None:
    axes = [Axis.parse("train.optimizer.weight_decay=0,0.1")]
    for override in ("train.optimizer.weight_decay=1", 'train.optimizer={kind="adamw", weight_decay=1}'):
        with pytest.raises(
            ConfigError, match=r"^--set train\.optimizer.*: train\.optimizer\.weight_decay varies in this"
        ):
            grid("mlp", axes, [override])
    assert len(grid("mlp", axes, ['train.optimizer={kind="adamw"}', "train.epochs=1"])) == 2


def test_a_key_that_is_given_twice_is_refused() -> None:
    axes = [Axis.parse("train.seed=1,2"), Axis.parse("train.seed=3,4")]
    with pytest.raises(ConfigError, match="train.seed: given twice"):
        grid("mlp", axes)


def test_a_teacher_is_refused_before_anything_is_downloaded() -> None:
    overrides = ["train.teacher.recipe=ensemble"]
    with pytest.raises(ConfigError, match="has a teacher .*; leave it out, or sweep train.teacher.weight"):
        Question.asked(None, ["train.teacher.weight=0.2,0.8"], None, overrides, None)
