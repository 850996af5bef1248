"""Names of variants: long values are told apart by what differs in them, so that a chart has room for its curves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.report.escape import toml
from pipelines.report.study_charts import Curve, overlaid
from pipelines.study.grid import Axis, grid
from pipelines.study.short_values import LONGEST, shortened

DENSE = '{kind = "dense", units = %d}'
RELU = '{kind = "relu"}'


def network(*units: int, last: int = 10) -> str:
    """Dense layers with ReLU between them."""
    hidden = ", ".join(f"{DENSE % size}, {RELU}" for size in units)
    return f"[{hidden}, {DENSE % last}]" if hidden else f"[{DENSE % last}]"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (("0.01", "0.1"), ("0.01", "0.1")),
        (('"he_normal"', '"zeros"'), ("he_normal", "zeros")),
        (('"1"', "1"), ('"1"', "1")),  # without its quotes, the text could not be told from the number
        (('{kind = "sgd"}', '{kind = "adam", beta1 = 0.8}'), ("sgd", "adam, beta1 0.8")),
        (
            ('{kind = "sgd", momentum = 0.9}', '{kind = "sgd", momentum = 0.9, decay = 0.1}'),
            ("sgd", "sgd, decay 0.1"),
        ),
        (("{}", "{degrees = 10}"), ("none", "degrees 10")),
        # What all networks begin and end with is left out.
        ((network(64), network(256)), ("dense 64", "dense 256")),
        ((network(64, 16), network(64, 32)), ("dense 16", "dense 32")),
        (
            (f"[{DENSE % 64}, {RELU}, {DENSE % 10}]", f'[{DENSE % 64}, {{kind = "tanh"}}, {DENSE % 10}]'),
            ("relu", "tanh"),
        ),
        # The shortest has nothing beside what all have in common; the others have something more.
        ((network(), network(64), network(32, 32)), ("shortest", "+ dense 64, relu", "+ 2 × (dense 32, relu)")),
        ((network(8, 8), network(8, 8, 8, 8)), ("shortest", "+ 2 × (dense 8, relu)")),
        (
            ('[{kind = "conv2d", channels = 8, kernel = 3}]', '[{kind = "conv2d", channels = 8, kernel = 5}]'),
            ("conv2d 8, kernel 3", "conv2d 8, kernel 5"),
        ),
        (('"none"', '[{kind = "rotate", degrees = 10}]'), ("none", "rotate 10")),
    ],
)
def test_values_are_named_by_what_differs_in_them(values: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert shortened(values) == names


def test_values_that_are_too_long_all_the_same_are_numbered_and_cut() -> None:
    values = tuple(f"[{', '.join(DENSE % (size + step) for size in range(20, 29))}]" for step in (0, 100))
    assert shortened(values) == ("1: dense 20, dense 21, …", "2: dense 120, dense 121…")


def test_only_a_name_that_is_too_long_is_numbered_and_cut() -> None:
    values = (network(), network(64), network(64, 32, 16, 8))
    assert shortened(values) == ("shortest", "+ dense 64, relu", "3: + dense 64, relu, de…")


layers = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["dense", "relu", "conv2d"])},
        optional={"units": st.integers(1, 999), "init": st.text(max_size=30), "inner": st.lists(st.integers())},
    ),
    max_size=6,
)
anything = st.one_of(st.integers(), st.booleans(), st.text(max_size=40), layers, st.dictionaries(st.text(), layers))


@settings(deadline=None)
@given(st.lists(anything.map(toml), min_size=2, max_size=5, unique=True))
def test_names_are_short_different_and_on_one_line_whatever_the_values(values: list[str]) -> None:
    names = shortened(values)
    assert len(set(names)) == len(values)
    assert all(1 <= len(name) <= LONGEST for name in names)
    assert all(name.isprintable() for name in names)


def test_a_variant_with_a_short_name_has_its_whole_value_as_its_note() -> None:
    variants = grid("mlp", [Axis.parse(f"model.layers={network(64)},{network(256)}")])
    assert [variant.name for variant in variants] == ["dense 64", "dense 256"]
    assert variants[0].note == f"model.layers = {network(64)}"
    assert [len(variant.resolved().model.layers) for variant in variants] == [3, 3]


def test_a_variant_whose_name_says_everything_has_no_note() -> None:
    assert [v.note for v in grid("mlp", [Axis.parse("train.learning_rate=0.1,1")])] == ["", ""]


def test_the_curves_of_long_values_keep_most_of_the_chart() -> None:
    axes = [Axis.parse(f"model.layers={network(64)},{network(512, 256, 128)}"), Axis.parse("train.seed=1,2")]
    variants = grid("mlp", axes)
    assert max(len(variant.name) for variant in variants) <= 40
    svg = overlaid("Validation loss", [Curve(v.name, range(2), [2.0, 1.0]) for v in variants], log=True)
    assert all(f">{variant.name}<" in svg for variant in variants)
