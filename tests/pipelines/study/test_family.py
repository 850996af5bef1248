"""The families of variants: each can be trained, and its commands train what its page shows."""

import re
import shlex
from itertools import pairwise

import pytest

from core.errors import ConfigError
from pipelines.recipe import load_recipe
from pipelines.report.study_page import command
from pipelines.study.family import Family, names
from pipelines.study.question import Question
from pipelines.study.variant import Variant

NAMES = (
    "activation",
    "batch-size",
    "depth",
    "initialization",
    "learning-rate",
    "normalization",
    "optimizer",
    "regularization",
)


def test_there_are_eight_families() -> None:
    assert names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_family_has_variants_that_differ_and_can_be_built(name: str) -> None:
    question = Question.asked(name, [], None, [], None)
    recipes = [variant.resolved() for variant in question.variants]
    assert 5 <= len(recipes) <= 24
    assert len({variant.name for variant in question.variants}) == len(recipes)
    assert len({recipe.model_dump_json(exclude={"description"}) for recipe in recipes}) == len(recipes)
    assert question.look_for
    assert question.why
    assert all(paper.url.startswith("https://") for paper in question.reading)


@pytest.mark.parametrize("name", NAMES)
def test_the_command_of_each_variant_trains_what_the_study_trained(name: str) -> None:
    for variant in Family.load(name).variants():
        words = shlex.split(command(variant).replace("\\\n", " "))
        assert words[:4] == ["python", "-m", "pipelines", "retrain"]
        recipe = words[words.index("--recipe") + 1]
        overrides = [value for flag, value in pairwise(words) if flag == "--set"]
        in_full, studied = load_recipe(recipe, overrides), variant.resolved()
        assert in_full.model == studied.model
        assert in_full.train.model_copy(update={"threads": 1, "shards": 1, "workers": 0}) == studied.train


def test_values_of_the_command_line_apply_to_all_variants() -> None:
    question = Question.asked("learning-rate", [], None, ["train.epochs=1"], 50)
    assert {variant.resolved().train.epochs for variant in question.variants} == {1}
    assert question.images == 50


@pytest.mark.parametrize(
    ("family", "override", "key"),
    [
        ("learning-rate", "train.learning_rate=7", "train.learning_rate"),
        ("batch-size", "train.learning_rate=7", "train.learning_rate"),  # which some of its variants set
        ("optimizer", "train.optimizer.weight_decay=0.1", "train.optimizer"),
        ("depth", "model.layers.0.units=8", "model.layers"),
        ("depth", "model={layers=[]}", "model.layers"),
    ],
)
def test_a_value_of_the_command_line_for_a_key_that_varies_is_refused(family: str, override: str, key: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^--set {re.escape(override)}: {key} varies in this study; .*--vary {key}="
    ):
        Question.asked(family, [], None, [override], None)


@pytest.mark.parametrize(
    ("family", "vary", "recipe", "message"),
    [
        (None, [], None, "nothing to compare; name a study, one of activation"),
        ("depths", [], None, "no study 'depths'; known: activation, .*; or --vary"),
        ("depth", ["train.seed=1,2"], None, "study depth: it has variants of its own; leave out --vary"),
        ("depth", [], "cnn", "leave out --recipe"),
        (None, ["train.optimzer=a,b"], None, "unknown key train.optimzer"),
        (None, ["train.seed=1,2"], "ensemble", "an ensemble; a study compares single networks"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    family: str | None, vary: list[str], recipe: str | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Question.asked(family, vary, recipe, [], None)


def test_a_variant_trains_on_images_of_mnist_alone_in_one_thread() -> None:
    recipe = Variant("as it is", "cnn", ()).resolved()
    assert recipe.data.styles.count == 0
    assert (recipe.train.shards, recipe.train.threads, recipe.train.workers) == (1, 1, 0)
