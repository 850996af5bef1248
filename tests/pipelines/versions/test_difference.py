"""What differs between two versions."""

from pathlib import Path

from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.versions.difference import Change, changes
from tests.pipelines.versions.published import trained


def test_what_was_changed_in_the_recipe_is_found_and_nothing_else(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    _, (first, second) = trained(tmp_path, dataset, recipe, other)
    found = changes(first, second)
    assert [change for change in found if change.part == "recipe"] == [
        Change("recipe", "train.seed", "1", "7"),
        Change("recipe", "train.learning_rate", "0.1", "0.02"),
    ]
    assert {change.part for change in found} == {"recipe", "network", "measures"}
    assert [change.key for change in found if change.part == "network"] == ["weights sha256"]
    assert changes(first, first) == []


def test_layers_are_compared_one_by_one(tmp_path: Path, dataset: DatasetRef, recipe: Recipe) -> None:
    _, (first,) = trained(tmp_path, dataset, recipe)
    layers = [*first.recipe["model"]["layers"], {"kind": "relu"}]
    layers[0] = {"kind": "dense", "units": 99}
    second = first.model_copy(update={"recipe": first.recipe | {"model": first.recipe["model"] | {"layers": layers}}})
    assert changes(first, second) == [
        Change("recipe", "model.layers.0.units", "16", "99"),
        Change("recipe", "model.layers.3.kind", None, '"relu"'),
    ]
    assert changes(second, first)[1].words == 'model.layers.3.kind: "relu" → not set'


def test_long_values_are_short_for_people() -> None:
    assert Change("network", "sha", f'"{"ab" * 32}"', "0.123456789").short == ("abababababab…", "0.123457")
    assert Change("recipe", "key", None, "5").short == ("not set", "5")
