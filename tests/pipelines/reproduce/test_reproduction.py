"""Training a published version again from its manifest."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.artifact.repository import Repository
from core.data import idx
from core.errors import ConfigError, DatasetError
from core.shipped import ROOT
from pipelines.engine.engine import Engine
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef
from pipelines.reproduce.reproduction import recipe_of, reproduce
from pipelines.retrain import steps
from tests.pipelines.new_data.given import digit, label
from tests.pipelines.runs import publish, run_in

RECIPE = ["train.epochs=1", "model.layers.0.units=8", "train.batch_size=256", "promotion.min_accuracy=0.1"]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """With real MNIST as the mirror."""
    mirrors = [(ROOT / "data/mnist").as_uri()]
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data", mirrors=mirrors)


@pytest.fixture
def store(order: Order, tmp_path: Path) -> Repository:
    """One version, of real MNIST."""
    dataset = steps.verify(steps.download(order.data_dir, order.mirrors))
    publish(order, run_in(tmp_path / "work", dataset, load_recipe("mlp", RECIPE)))
    return order.store


def test_a_version_comes_out_the_same_bit_for_bit(order: Order, store: Repository) -> None:
    found = reproduce(order, 1, Engine())
    assert found.identical
    assert found.reproduced_sha256 == store.manifest(1).files["weights.safetensors"].sha256
    assert found.tensors == []
    assert found.predictions["alike"] == found.predictions["images"] == 10_000
    assert found.circumstances == {}
    assert store.versions() == [1]
    assert not list((order.data_dir / "work").glob("*/*"))


def test_what_is_different_is_measured_tensor_by_tensor(order: Order, store: Repository, tmp_path: Path) -> None:
    manifest = store.manifest(1)
    train = manifest.recipe["train"] | {"seed": 2}
    code = manifest.code.model_copy(update={"sources_sha256": "0" * 64, "commit": "a" * 40})
    other = manifest.model_copy(update={"recipe": manifest.recipe | {"train": train}, "code": code})
    (tmp_path / "models/mnist/1/manifest.json").write_bytes(other.encode())
    found = reproduce(order, 1, Engine())
    assert not found.identical
    assert {tensor["name"] for tensor in found.tensors} == {"0.dense.W", "0.dense.b", "2.dense.W", "2.dense.b"}
    assert all(tensor["largest"] > 0 for tensor in found.tensors)
    assert 0 < found.predictions["alike"] < 10_000
    assert "not reproduced bit for bit" in found.sentence
    assert "commit aaaaaaaaaaaa" in found.circumstances["code that decides the weights"][0]


def test_other_data_is_refused_and_named(order: Order, store: Repository, tmp_path: Path) -> None:
    manifest = store.manifest(1)
    name = next(iter(manifest.data.files))
    data = manifest.data.model_copy(update={"files": manifest.data.files | {name: "0" * 64}})
    (tmp_path / "models/mnist/1/manifest.json").write_bytes(manifest.model_copy(update={"data": data}).encode())
    with pytest.raises(DatasetError, match=f"version 1 was trained on other files than these: {name}"):
        reproduce(order, 1, Engine())


def test_new_data_that_an_older_release_recorded_names_its_commit(
    order: Order, dataset: DatasetRef, tmp_path: Path
) -> None:
    recipe = load_recipe("mlp", [*RECIPE, "data.validation_images=100"])
    publish(order, run_in(tmp_path / "work", dataset, recipe))
    path = tmp_path / "models/mnist/1/manifest.json"
    document = json.loads(path.read_text())
    del document["digest"]
    document["data"]["feedback"] = {"images": 12, "sha256": "0" * 64}
    document["code"]["commit"] = "c" * 40
    path.write_text(json.dumps(document))
    named = order.model_copy(update={"extra": (tmp_path,)})
    with pytest.raises(ConfigError, match=f"12 new pictures .* older release, .* with the code of commit {'c' * 40}"):
        reproduce(named, 1, Engine())


def test_new_data_is_gathered_again_and_anything_else_is_refused(order: Order, tmp_path: Path) -> None:
    named = order.model_copy(update={"extra": (tmp_path / "extra",)})
    _save_new(12, tmp_path / "extra")
    trust = ['data.trust.judge="none"', "data.trust.cap=1", "data.trust.source_cap=1", "data.trust.digit_cap=1"]
    recipe = load_recipe("mlp", [*RECIPE, *trust, "data.held_out_share=0"])
    files = steps.verify(steps.download(order.data_dir, order.mirrors))
    publish(order, run_in(tmp_path / "work", steps.gather(named, recipe, files), recipe))
    new = order.store.manifest(1).data.new_data
    assert new is not None
    assert new.images == 12
    assert reproduce(named, 1, Engine()).identical
    with pytest.raises(ConfigError, match="trained on 12 new pictures as well.*--feedback and --extra"):
        reproduce(order, 1, Engine())
    _save_new(11, tmp_path / "extra")
    with pytest.raises(DatasetError, match=f"trained on 12 new pictures with sha256 {new.sha256}; found 11 with"):
        reproduce(named, 1, Engine())


def _save_new(count: int, folder: Path) -> None:
    """As many pictures that MNIST has not: its digits, mirrored."""
    folder.mkdir(exist_ok=True)
    idx.write(folder / "some-images-idx3-ubyte", np.stack([digit(number).T for number in range(count)]))
    idx.write(folder / "some-labels-idx1-ubyte", np.array([label(number) for number in range(count)], np.uint8))


def test_a_recipe_that_this_code_cannot_read_names_the_commit(
    order: Order, dataset: DatasetRef, tmp_path: Path
) -> None:
    recipe = load_recipe("mlp", [*RECIPE, "data.validation_images=100"])
    manifest = publish(order, run_in(tmp_path / "work", dataset, recipe))
    assert recipe_of(manifest) == recipe
    train = manifest.recipe["train"] | {"teleport": 1}
    code = manifest.code.model_copy(update={"commit": "b" * 40})
    later = manifest.model_copy(update={"recipe": manifest.recipe | {"train": train}, "code": code})
    with pytest.raises(ConfigError, match="version 1: this code cannot read its recipe.*commit bbbb"):
        recipe_of(later)
