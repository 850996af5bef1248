"""A later run that finds nothing changed makes up for what an earlier one did not come to, and tells of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.trial import Limits
from pipelines.engine.engine import Engine
from pipelines.notices.notice import Notice
from pipelines.notices.outcome import notices_of
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import job, promoting
from pipelines.retrain.recorded import recorded
from pipelines.retrain.retrained import Retrained
from pipelines.retrain.run import Run
from pipelines.retrain.turn import Turn
from pipelines.schedule.condition import judge
from pipelines.schedule.journal import Journal
from tests.core.artifact.trials import passed_trial
from tests.pipelines.runs import publish, run_in

Trained = Callable[[int], Run]


class Mine(Turn):
    """A turn that is not lost."""

    def __init__(self) -> None:
        """There is no lease."""

    def check(self) -> None:
        """It is still this run's turn."""


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data")


@pytest.fixture
def trained(dataset: DatasetRef, recipe: Recipe, tmp_path: Path) -> Trained:
    """A run with this seed, which the gate lets through, and for which no service is ready in time if it is tried."""

    def with_seed(seed: int) -> Run:
        rule = {"trial": Limits(ready_seconds=0.01), "max_accuracy_drop": 0.9, "max_digit_drop": 1.0}
        promotion = recipe.promotion.model_copy(update=rule)
        changed = {"train": recipe.train.model_copy(update={"seed": seed}), "promotion": promotion}
        return run_in(tmp_path / f"work-{seed}", dataset, recipe.model_copy(update=changed), f"{seed:064x}")

    return with_seed


def ended(order: Order, ending: Callable[[Engine], Retrained]) -> Retrained:
    """The end of a run, recorded as each run is."""
    with recorded(order) as recording:
        result = ending(Engine())
        recording.ended(result)
    return result


def told(result: Retrained) -> list[Notice]:
    return notices_of(result)


def later(order: Order, run: Run, manifest: Manifest) -> Retrained:
    """A later run of the same data, recipe and code."""
    return ended(order, lambda engine: job._known(order, run, manifest, engine, Mine(), dry_run=False))


def test_a_promotion_that_is_made_up_for_is_told_as_an_ordinary_one(
    order: Order, trained: Trained, tmp_path: Path
) -> None:
    elsewhere = order.model_copy(update={"repository": str(tmp_path / "elsewhere")})
    ordinary = ended(elsewhere, lambda engine: job._new(elsewhere, trained(1), engine, Mine(), dry_run=False))
    published, promoted = told(ordinary)
    assert (published.kind, promoted.kind) == ("published", "promoted")

    run = trained(1)
    late = later(order, run, publish(order, run))  # the first run was killed in between
    [notice] = told(late)
    assert notice.model_dump(exclude={"at", "repository"}) == promoted.model_dump(exclude={"at", "repository"})
    assert later(order, run, order.store.manifest(1)).outcome == "unchanged"


def test_a_late_promotion_is_told_with_the_reason_of_now(order: Order, trained: Trained) -> None:
    first, second = trained(1), trained(2)
    manifests = [publish(order, first), publish(order, second)]
    later(order, first, manifests[0])
    [notice] = told(later(order, second, manifests[1]))
    assert notice.kind == "promoted"
    assert notice.reason.startswith("decided again, because the champion had changed: ")
    assert order.store.alias().history()[-1].why == notice.reason


def test_a_version_that_fails_beside_the_champion_of_now_is_rejected_recorded_and_told_once(
    order: Order, trained: Trained
) -> None:
    first, second = trained(1), trained(2)
    champion, manifest = publish(order, first), publish(order, second)
    order.store.record_trial(passed_trial(2))  # when there was no champion; then its run was killed
    promoting.promote(order, first, champion, lambda: None)

    trying = order.model_copy(update={"infra_gate": "require"})
    found = later(trying, second, manifest)
    assert (found.outcome, found.promoted) == ("rejected", False)
    assert found.rejected is not None
    assert found.rejected.startswith("the trial of version 2 by a service failed: start: ")
    [notice] = told(found)
    assert (notice.kind, notice.version, notice.reason) == ("rejected", 2, found.rejected)
    trial = order.store.trial(2)
    assert trial is not None
    assert not trial.passed, "the last trial is on record, behind the one that was passed"

    again = later(trying, second, manifest)
    assert (again.outcome, again.rejected, told(again)) == ("unchanged", found.rejected, [])
    assert order.store.champion() == 1
    record = Journal(order.data_dir).read()
    assert record is not None
    assert record.rejections == 1
    facts = judge(record, None, record.last_start).facts
    assert facts["last_success"]["rejected"] == found.rejected, "health shows why, also after the next night"
