"""A disk that becomes full while a version is published or promoted: one sentence, and nothing half-done."""

from pathlib import Path

import pytest

from core.artifact.manifest import MANIFEST, WEIGHTS, Verdict
from core.errors import RepositoryError
from pipelines.order import Order
from pipelines.promotion.advance import Advance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef
from pipelines.retrain import promoting, steps, training
from pipelines.retrain.run import Run
from tests.pipelines.full_disk import room_for
from tests.pipelines.runs import run_in

Trained = tuple[Run, FileRef, TrainedRef, FileRef, Verdict]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data")


@pytest.fixture
def trained(order: Order, dataset: DatasetRef, recipe: Recipe, work: Path) -> Trained:
    """All that the step `publish` needs, on the disk."""
    run = run_in(work, dataset, recipe)
    preprocessing = steps.fit_normalizer(run)
    network = training.train(run.dataset, preprocessing, run.recipe, run.work, lambda report: None)
    evaluations = steps.evaluate(run, preprocessing, network)
    return run, preprocessing, network, evaluations, promoting.judge(order, run, preprocessing, network, evaluations)


def written(order: Order) -> list[str]:
    """What lies in the repository."""
    folder = Path(order.repository)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_disk_too_full_for_the_report_keeps_no_part_of_the_version(order: Order, trained: Trained) -> None:
    weights = len(trained[2].weights.read())
    with (
        room_for(weights),
        pytest.raises(RepositoryError, match=r"cannot write mnist/1/report\.html: File too large") as caught,
    ):
        steps.publish(order, *trained)
    assert len(str(caught.value).splitlines()) == 1
    assert written(order) == []
    manifest = steps.publish(order, *trained)
    assert manifest.version == 1, "the number was given back"
    assert manifest.files["report.html"].size > weights
    assert list(order.store.examine(by="a test")) == []


def test_a_disk_too_full_for_the_move_leaves_the_champion_and_the_next_run_promotes(
    order: Order, trained: Trained
) -> None:
    manifest = steps.publish(order, *trained)
    assert manifest.verdict.promote
    before = written(order)
    assert {f"mnist/1/{WEIGHTS}", f"mnist/1/{MANIFEST}"} <= set(before)
    with room_for(0), pytest.raises(RepositoryError, match=r"cannot write mnist/aliases/champion/\d+\.json: "):
        promoting.promote(order, trained[0], manifest, lambda: None)
    assert written(order) == before
    assert order.store.alias().target() is None
    advanced = promoting.promote(order, trained[0], manifest, lambda: None)
    assert (advanced.promoted, advanced.moved) == (True, True)
    assert order.store.champion() == 1


def test_a_version_that_the_gate_rejects_stays_rejected_after_a_full_disk(order: Order, trained: Trained) -> None:
    *before, verdict = trained
    rejected = verdict.model_copy(update={"promote": False, "reason": "too many eights are read as threes"})
    with room_for(1000), pytest.raises(RepositoryError, match="cannot write mnist/1/"):
        steps.publish(order, *before, rejected)  # type: ignore[arg-type]  # a list of known types
    manifest = steps.publish(order, *before, rejected)  # type: ignore[arg-type]
    advanced = promoting.promote(order, trained[0], manifest, lambda: None)
    assert advanced == Advance(promoted=False, rejected="too many eights are read as threes")
    assert order.store.alias().target() is None
