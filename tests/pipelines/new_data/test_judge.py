"""The judge of new pictures: it has not seen them, it tells wrong digits from right ones, and it says what it is."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import Repository
from core.errors import RepositoryError
from pipelines import leftovers
from pipelines.lock import locked
from pipelines.new_data import judge
from pipelines.new_data.judge import find_judge
from pipelines.new_data.judgement import judged
from pipelines.new_data.kept import keep
from pipelines.new_data.rules import TrustSection
from pipelines.new_data.trust import trust
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef
from pipelines.retrain import training
from pipelines.retrain.work import lock_of
from pipelines.settings import Settings
from tests.core.artifact.forbidden import forbid
from tests.floats import assert_same_bits
from tests.pipelines.new_data.given import collected
from tests.pipelines.new_data.new_items import items_of, mislabeled, written
from tests.pipelines.runs import publish, run_in


def test_the_version_that_ships_judges_and_is_named_by_the_digest_of_its_weights(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    judge = find_judge("pretrained", Settings().pretrained, dataset, recipe, tmp_path, pytest.fail)
    manifest = Repository(Settings().pretrained or "").manifest(1)
    assert (judge.description, judge.sha256) == ("pretrained version 1, recipe cnn", manifest.files[WEIGHTS].sha256)


def test_the_judge_accepts_right_digits_and_catches_wrong_ones_even_if_shifted(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    judge = find_judge("pretrained", Settings().pretrained, dataset, recipe, tmp_path, pytest.fail)
    honest = written(300)
    shifted = type(honest)(np.roll(honest.images, (3, 3), (1, 2)), honest.labels)
    rule = TrustSection(source_share=1, source_cap=9, digit_cap=9, cap=9)
    for images in (honest, shifted):
        right, wrong = items_of(images), items_of(mislabeled(images))
        found = trust([*right, *wrong], judged([*right, *wrong], judge, tmp_path), rule, 60_000)
        trusted = {item.name for item in found.accepted}
        assert sum(item.name not in trusted for item in right) <= 6, "at most 2% of 300"
        assert sum(item.name in trusted for item in wrong) <= 6


def test_without_a_version_that_ships_a_small_network_is_trained_once(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first = find_judge("pretrained", None, dataset, recipe, tmp_path, said.append)
    assert said == [
        "there is no pretrained version to judge new data: a small network is trained for it, on MNIST alone"
    ]
    monkeypatch.setattr(training, "say", pytest.fail)
    monkeypatch.setattr(judge, "fit_temperature", pytest.fail)
    again = find_judge("trained", Settings().pretrained, dataset, recipe, tmp_path, pytest.fail)
    assert again.sha256 == first.sha256
    images = written(5).images
    assert_same_bits(
        again.predictor.answers(images).probabilities,
        first.predictor.answers(images).probabilities,
        "the same network, found again",
    )
    assert first.description == "a network trained on MNIST alone, recipe judge"
    assert load_recipe("judge").description


def test_a_trained_judge_whose_record_is_damaged_is_made_again(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    first = find_judge("trained", None, dataset, recipe, tmp_path, lambda _: None)
    [record] = tmp_path.glob("judges/*/judge.json")
    record.write_bytes(b"{")
    said: list[str] = []
    assert find_judge("trained", None, dataset, recipe, tmp_path, said.append).sha256 == first.sha256
    assert said == ['data.trust.judge is "trained": a small network is trained for it, on MNIST alone']


def test_two_runs_that_need_a_judge_train_it_one_after_the_other(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    find_judge("trained", None, dataset, recipe, tmp_path, lambda _: None)
    [record] = tmp_path.glob("judges/*/judge.json")
    waiting = Event()
    with ThreadPoolExecutor(1) as pool:
        with locked(lock_of(record.parent), pytest.fail, pytest.fail):
            found = pool.submit(find_judge, "trained", None, dataset, recipe, tmp_path, lambda _: waiting.set())
            assert waiting.wait(60), "it says that it waits"
            assert not found.done()
        assert found.result(60).description


def test_a_judge_in_use_is_kept_and_one_that_nobody_uses_is_reclaimed(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    items = items_of(written(2))

    def use() -> None:
        judged(items, find_judge("trained", None, dataset, recipe, tmp_path, lambda _: None), tmp_path / "judges")

    def age() -> None:
        for path in tmp_path.rglob("*"):
            os.utime(path, (1, 1))

    use()
    age()
    use()
    assert leftovers.reclaim(tmp_path, timedelta(days=1), pytest.fail) == []
    age()
    assert len(leftovers.reclaim(tmp_path, timedelta(days=1), lambda _: None)) == 2
    assert not list((tmp_path / "judges").iterdir())


def test_an_outage_of_the_pretrained_repository_swaps_no_judge(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    shutil.copytree(Settings().pretrained or "", models)
    forbid(models, monkeypatch)
    with pytest.raises(RepositoryError):
        find_judge("pretrained", str(models), dataset, recipe, tmp_path, pytest.fail)


def test_a_version_that_has_learned_from_users_does_not_judge_their_pictures(
    dataset: DatasetRef, recipe: Recipe, tmp_path: Path
) -> None:
    learned = keep(collected(*items_of(written(3))), 0, tmp_path / "new-data", print)
    order = Order(repository=str(tmp_path / "models"))
    run = run_in(tmp_path / "work" / "run", dataset.model_copy(update={"new_data": learned}), recipe)
    order.store.promote(publish(order, run).version, by="a test", why="a test")
    said: list[str] = []
    judge = find_judge("pretrained", order.repository, dataset, recipe, tmp_path, said.append)
    assert "was trained on new data itself" in said[0]
    assert said[1].startswith("the pretrained version cannot judge new data: a small network is trained for it")
    assert judge.description == "a network trained on MNIST alone, recipe judge"
