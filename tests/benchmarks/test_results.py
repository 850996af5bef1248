"""From figures to ratios, and what is written."""

import json

import pytest

from benchmarks.cases import TRAINING, chosen
from benchmarks.result import Result, write
from core.errors import ConfigError


def test_a_ratio_is_that_of_the_medians_and_its_range_that_of_the_rounds():
    result = Result.of_rates("mlp", "them", ours=[300.0, 100.0, 200.0], theirs=[100.0, 100.0, 50.0])
    assert (result.ours, result.theirs) == (200, 100)
    assert (result.low, result.ratio, result.high) == (1.0, 2.0, 4.0)


def test_a_ratio_above_one_means_that_we_are_faster():
    assert Result.of_rates("mlp", "them", [30.0], [40.0]).ratio == 0.75
    assert Result.of_rates("mlp", "them", [40.0], [30.0]).ratio == 1.333


def test_a_peer_that_is_not_installed_has_neither_a_figure_nor_a_ratio():
    result = Result.of_rates("mlp", "them", [30.0], None)
    assert result.ours == 30
    assert result.theirs is result.ratio is result.low is result.high is None


@pytest.mark.parametrize("theirs", [None, [1500.0]])
def test_people_see_in_the_table_whether_a_peer_is_there(capsys, theirs):
    write([Result.of_rates("mlp-32", "pytorch", [3000.0], theirs)], as_json=False)
    shown = capsys.readouterr().out
    assert "3,000" in shown
    assert ("not installed" in shown) == (theirs is None)
    assert ("2.00" in shown) == (theirs is not None)


def test_json_is_one_document(capsys):
    write([Result.of_rates("mlp-32", "pytorch", [3000.0], [1500.0])] * 2, as_json=True)
    rows = json.loads(capsys.readouterr().out)
    assert [row["ratio"] for row in rows] == [2.0, 2.0]


def test_cases_are_chosen_by_name_or_pattern():
    assert [case.name for case in chosen(TRAINING, "mlp-32")] == ["mlp-32"]
    assert [case.name for case in chosen(TRAINING, "cnn*")] == ["cnn", "cnn-wide"]


def test_an_unknown_case_lists_what_is_known():
    with pytest.raises(ConfigError, match="no case matches 'mpl'; known: mlp-32, mlp-128"):
        chosen(TRAINING, "mpl")
