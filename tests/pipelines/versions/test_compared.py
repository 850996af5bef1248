"""Versions on the same test images, and the page about it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data.labeled import Labeled
from core.inference.predict import load
from core.measure.evaluate import Accuracy
from pipelines.promotion.paired import Pairs
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.report.compare_page import render_comparison
from pipelines.versions.compared import _by_chance, compare
from tests.floats import by_hand
from tests.pipelines.versions.published import trained


def _test_images(dataset: DatasetRef) -> Labeled:
    mnist = read_mnist(dataset.files)
    return Labeled(mnist.test_images, mnist.test_labels)


def test_the_comparison_says_how_often_each_is_right_and_where_they_differ(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, manifests = trained(tmp_path, dataset, recipe, other)
    test = _test_images(dataset)
    found = compare(store, [1, 2], test)
    said = [load(store, version)[0].probabilities(test.images).argmax(axis=1) for version in (1, 2)]
    right = [reading == test.labels for reading in said]
    assert [one.accuracy for one in found.versions] == [Accuracy.of(reading) for reading in right]
    assert found.versions[1].pairs == Pairs.of(right[1], right[0])
    assert found.versions[0].pairs is None
    differing = np.flatnonzero(said[0] != said[1])
    assert found.differing == len(differing) > 0
    assert {picture.index for picture in found.pictures} <= set(differing.tolist())
    for picture in found.pictures:
        assert picture.readings == (said[0][picture.index], said[1][picture.index])
        assert picture.label == test.labels[picture.index]
    assert [len(one.history) for one in found.versions] == [3, 3]
    assert found.versions[1].history[-1].validation_accuracy == manifests[1].validation.accuracy


def test_the_surest_contradictions_come_first(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, _ = trained(tmp_path, dataset, recipe, other)
    least = [min(picture.probabilities) for picture in compare(store, [1, 2], _test_images(dataset)).pictures]
    assert least == sorted(least, reverse=True)


@pytest.mark.parametrize(
    ("lost", "gained", "expected"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (1, 9, 0.021484375), (9, 1, 0.021484375)],
)
def test_the_chance_is_that_of_the_exact_test_of_mcnemar(lost: int, gained: int, expected: float) -> None:
    assert _by_chance(Pairs(1000, lost, gained)) == by_hand(expected)


def test_the_page_is_one_file_with_everything(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, _ = trained(tmp_path, dataset, recipe, other)
    found = compare(store, [1, 2], _test_images(dataset))
    page = render_comparison(found).decode()
    assert page == render_comparison(found).decode()
    for heading in ("Figures", "Learning curves", "Digit by digit", "Robustness", "Where they differ", "What changed"):
        assert f">{heading}</h2>" in page
    assert page.count("<svg ") == 4
    assert "train.learning_rate" in page
    assert page.count('alt="Test image ') == len(found.pictures)
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("lost", "gained", "words"),
    [(3, 3, "its accuracy is the same."), (0, 0, "its accuracy is the same."), (3, 5, "1.00 points higher.")],
)
def test_the_page_says_the_same_where_as_many_are_gained_as_lost(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe, lost: int, gained: int, words: str
) -> None:
    store, _ = trained(tmp_path, dataset, recipe, other)
    found = compare(store, [1, 2], _test_images(dataset))
    pairs = Pairs(200, lost, gained)
    one = replace(found.versions[1], pairs=pairs, p=_by_chance(pairs))
    page = render_comparison(replace(found, versions=(found.versions[0], one))).decode()
    assert words in page


def test_a_version_without_recorded_epochs_is_named_instead_of_its_curves(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, (first, _) = trained(tmp_path, dataset, recipe, other)
    without = {name: entry for name, entry in first.files.items() if name != "history.json"}
    older = first.model_copy(update={"files": without})
    (tmp_path / "models/mnist/1/manifest.json").write_bytes(older.encode())
    found = compare(store, [1, 2], _test_images(dataset))
    assert [len(one.history) for one in found.versions] == [0, 3]
    page = render_comparison(found).decode()
    assert "Of version 1, the epochs were not recorded" in page
    assert page.count("<svg ") == 4
