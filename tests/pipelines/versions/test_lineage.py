"""Where a version comes from."""

from pathlib import Path

from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.versions.lineage import lineage
from tests.pipelines.versions.published import trained


def test_a_line_leads_back_to_the_champion_it_was_judged_against(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, _ = trained(tmp_path, dataset, recipe, other)
    line = lineage(store, 2)
    assert [one.version for one in line] == [2, 1]
    assert [change.key for change in line[0].changed if change.part == "recipe"] == [
        "train.seed",
        "train.learning_rate",
    ]
    assert line[1].moves[0].endswith("by a test: the first")
    assert line[1].changed == ()


def test_a_line_ends_at_a_version_that_was_deleted_or_is_damaged(
    tmp_path: Path, dataset: DatasetRef, recipe: Recipe, other: Recipe
) -> None:
    store, _ = trained(tmp_path, dataset, recipe, other)
    manifest = tmp_path / "models/mnist/1/manifest.json"
    manifest.write_text("{")
    assert "mnist/1/manifest.json" in (lineage(store, 2)[1].fault or "")
    manifest.unlink()
    assert lineage(store, 2)[1].fault == "deleted"


def test_a_circle_of_manifests_ends(tmp_path: Path, dataset: DatasetRef, recipe: Recipe) -> None:
    store, (manifest,) = trained(tmp_path, dataset, recipe)
    of_itself = manifest.model_copy(update={"verdict": manifest.verdict.model_copy(update={"parent": 1})})
    (tmp_path / "models/mnist/1/manifest.json").write_bytes(of_itself.encode())
    assert [one.version for one in lineage(store, 1)] == [1]
