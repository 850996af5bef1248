"""The command that looks for a learning rate."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.train.finder import RangeTest
from pipelines import find_rate as finding
from pipelines.cli.commands import app
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import steps
from pipelines.sections import StylesSection

RATES = tuple(10.0**exponent for exponent in range(-5, 1))
FOUND = RangeTest(rates=RATES, losses=(2.3, 2.2, 1.5, 0.8, 0.5, 2.0), suggestion=0.01)


@pytest.fixture(autouse=True)
def small(dataset: DatasetRef, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small data set instead of the whole one."""
    monkeypatch.setattr(steps, "download", lambda data_dir, mirrors: dict(dataset.files))


def test_the_chart_has_a_bar_for_each_loss_and_marks_the_lowest_and_the_suggested() -> None:
    head, *rows = finding.chart(FOUND).splitlines()
    assert head.split() == ["rate", "loss"]
    assert [row.count("█") for row in rows] == [40, 38, 26, 14, 9, 35]
    assert rows[4].startswith(" 1.0e-01  0.5000  ")
    assert rows[4].endswith("  lowest")
    assert rows[3].endswith("  suggested")
    assert sum("  lowest" in row or "  suggested" in row for row in rows) == 2


def test_a_long_test_is_thinned_out_and_keeps_what_is_marked() -> None:
    rates = tuple(1e-6 * 1.1**i for i in range(170))
    losses = tuple(2 + (i - 101) ** 2 for i in range(170))
    chart = finding.chart(RangeTest(rates=rates, losses=losses, suggestion=rates[101] / 10))
    assert 25 < len(chart.splitlines()) < 40
    assert chart.count("  lowest") == chart.count("  suggested") == 1


def test_it_tries_the_recipes_own_network_optimizer_and_seed(recipe: Recipe, tmp_path: Path) -> None:
    def suggestion(**changes: object) -> RangeTest:
        changed = recipe.model_copy(update={"train": recipe.train.model_copy(update=changes)})
        return finding.find_rate(changed, tmp_path, ())

    plain = suggestion()
    assert suggestion() == plain
    assert suggestion(seed=5) != plain
    assert suggestion(augment=({"kind": "rotate"},)) != plain
    assert suggestion(loss={"kind": "softmax_cross_entropy", "label_smoothing": 0.3}) != plain
    drawing = recipe.model_copy(update={"data": recipe.data.model_copy(update={"styles": StylesSection(digits=200)})})
    assert finding.find_rate(drawing, tmp_path, ()) != plain
    assert suggestion(optimizer={"kind": "adam"}).suggestion < plain.suggestion


def test_the_command_prints_a_chart_and_tells_what_to_set(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["find-rate", "--data-dir", str(tmp_path), "--set", "data.validation_images=100"])
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("    rate    loss\n 1.0e-06  ")


def test_with_json_it_prints_one_document(tmp_path: Path) -> None:
    arguments = ["find-rate", "--json", "--data-dir", str(tmp_path), "--set", "data.validation_images=100"]
    ended = CliRunner().invoke(app, arguments)
    found = json.loads(ended.stdout)
    assert found.keys() == {"recipe", "rates", "losses", "suggestion"}
    assert found["recipe"] == "mlp"
    assert len(found["rates"]) == len(found["losses"])
    assert 1e-4 < found["suggestion"] < 1


def test_what_is_wrong_is_told_in_one_sentence() -> None:
    ended = CliRunner().invoke(app, ["find-rate", "--set", "train.rate=3"])
    assert ended.exit_code == 1
    assert "unknown key train.rate" in ended.stderr
    assert ended.stdout == ""
