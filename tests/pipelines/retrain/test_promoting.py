"""The steps that judge a version and make it the champion, on a small real data set and a real repository."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from core.artifact.manifest import Manifest, Verdict
from pipelines.order import Order
from pipelines.promotion.advance import Advance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import promoting, training
from pipelines.retrain.run import Run
from tests.pipelines.runs import publish, run_in

Retrain = Callable[..., tuple[Run, Manifest]]


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "data")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(promoting, "say", lines.append)
    return lines


@pytest.fixture
def retrain(order: Order, dataset: DatasetRef, recipe: Recipe, tmp_path: Path) -> Retrain:
    """Publishes a version, and does not promote it yet."""
    count = iter(range(1, 100))

    def run_once(order: Order = order, **changed: float) -> tuple[Run, Manifest]:
        number = next(count)
        train = recipe.train.model_copy(update=changed)
        run = run_in(tmp_path / f"work-{number}", dataset, recipe.model_copy(update={"train": train}), f"{number:064x}")
        return run, publish(order, run)

    return run_once


def promote(order: Order, run: Run, manifest: Manifest) -> Advance:
    """The step, in a run whose turn it stays."""
    return promoting.promote(order, run, manifest, lambda: None)


BAD = {"learning_rate": 0.001}
"""Of a version that reads hardly any digit."""


def lowered(run: Run) -> Run:
    """The same run without a floor, so that only comparisons reject it."""
    promotion = run.recipe.promotion.model_copy(update={"min_accuracy": 0.0})
    return run.model_copy(update={"recipe": run.recipe.model_copy(update={"promotion": promotion})})


def test_the_first_version_is_promoted_once(order: Order, retrain: Retrain) -> None:
    run, manifest = retrain()
    assert promote(order, run, manifest).promoted
    assert promote(order, run, manifest).promoted
    assert [move.version for move in order.store.alias().history()] == [manifest.version]


def test_a_version_that_the_gate_rejects_is_not_promoted(order: Order, retrain: Retrain, said: list[str]) -> None:
    run, manifest = retrain(**BAD)
    assert not manifest.verdict.promote
    found = promote(order, run, manifest)
    assert (found.promoted, found.rejected) == (False, manifest.verdict.reason)
    assert order.store.alias().target() is None
    assert said[-1] == f"not promoted: {manifest.verdict.reason}; there is no champion yet"


def test_a_version_is_judged_against_the_champion_on_the_same_images(order: Order, retrain: Retrain) -> None:
    run, champion = retrain()
    assert (champion.verdict.promote, champion.verdict.parent, champion.verdict.consulted) == (True, None, 1)
    promote(order, run, champion)
    _, equal = retrain()
    assert (equal.verdict.promote, equal.verdict.parent, equal.verdict.best) == (True, 1, 1)
    assert (equal.verdict.consulted, equal.verdict.improves) == (2, False)
    assert "of version 1, the champion and the best version so far, on the same 100 images" in equal.verdict.reason
    _, worse = retrain(**BAD)
    failed = [check.name for check in worse.verdict.checks if check.passed is False]
    assert "accuracy against version 1" in failed


def test_of_two_runs_at_once_the_better_version_is_the_champion_in_the_end(order: Order, retrain: Retrain) -> None:
    runs = [retrain(), retrain(**BAD)]
    good, bad = (manifest for _, manifest in runs)
    assert good.verdict.parent is bad.verdict.parent is None
    bad = bad.model_copy(update={"verdict": Verdict(promote=True, reason="it came first", parent=None)})
    together = Barrier(2)

    def promote_together(run: Run, manifest: Manifest) -> bool:
        together.wait(60)
        return promote(order, lowered(run), manifest).promoted

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(promote_together, [runs[0][0], runs[1][0]], [good, bad]))
    assert order.store.champion() == good.version
    moves = order.store.alias().history()
    assert [move.version for move in moves] in ([good.version], [bad.version, good.version])
    assert len(moves) == 1 or moves[-1].why.startswith("decided again, because the champion had changed: ")


def test_a_stale_verdict_is_decided_again_and_may_then_reject(order: Order, retrain: Retrain, said: list[str]) -> None:
    run, good = retrain()
    other, bad = retrain(**BAD)
    promote(order, run, good)
    stale = bad.model_copy(update={"verdict": Verdict(promote=True, reason="no champion", parent=None)})
    found = promote(order, lowered(other), stale)
    assert not found.promoted
    assert found.rejected is not None
    assert found.rejected.startswith("validation accuracy")
    assert f"of version {good.version}, the champion" in found.rejected
    assert order.store.champion() == good.version
    assert said[-2] == (
        "the verdict on version 2 compared it with no champion, but version 1 is the champion now: it is decided again"
    )


def test_a_version_that_is_published_already_is_not_counted_twice(order: Order, retrain: Retrain) -> None:
    run, first = retrain()
    promote(order, run, first)
    other, second = retrain(seed=2)
    stale = second.model_copy(update={"verdict": second.verdict.model_copy(update={"parent": None, "promote": True})})
    promote(order, other, stale)
    _, third = retrain(seed=3)
    assert [m.verdict.consulted for m in (first, second, third)] == [1, 2, 3]


def test_an_order_to_promote_overrules_the_gate_and_the_history_says_so(order: Order, retrain: Retrain) -> None:
    always = order.model_copy(update={"promote": "always"})
    run, bad = retrain(always, **BAD)
    assert not bad.verdict.promote
    assert bad.verdict.instruction == "always"
    found = promote(always, run, bad)
    assert (found.promoted, found.rejected) == (True, None)
    [move] = order.store.alias().history()
    assert move.why == f"by order of {move.by}, against the gate: {bad.verdict.reason}"
    assert bad.verdict.instructed_by == move.by
    assert f"By order of {move.by}" in order.store.read(bad, "card.md").decode().replace("\\", "")


def test_an_order_not_to_promote_holds_for_a_later_run_as_well(order: Order, retrain: Retrain) -> None:
    run, good = retrain(order.model_copy(update={"promote": "never"}))
    assert good.verdict.promote
    for again in (order.model_copy(update={"promote": "never"}), order):
        found = promote(again, run, good)
        assert (found.promoted, found.rejected) == (False, None)
    assert order.store.alias().target() is None


def test_a_rollback_is_not_undone_by_running_again(order: Order, retrain: Retrain) -> None:
    run, first = retrain()
    promote(order, run, first)
    other, second = retrain()
    promote(order, other, second)
    order.store.alias().rollback(by="tests", why="it misreads sevens")
    assert not promote(order, other, second).promoted
    assert order.store.champion() == first.version


def test_a_champion_with_damaged_weights_is_compared_by_its_record(
    order: Order, retrain: Retrain, tmp_path: Path, said: list[str]
) -> None:
    run, first = retrain()
    promote(order, run, first)
    weights = tmp_path / "models" / "mnist" / "1" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    _, second = retrain(seed=2)
    assert any("cannot be read, so only its recorded accuracy is compared" in line for line in said)
    assert (
        "of version 1, the champion and the best version so far, which can no longer be read" in second.verdict.reason
    )
    assert "different images" not in second.verdict.reason
    assert second.verdict.parent == 1


def test_with_services_to_ask_a_version_is_a_canary_before_it_is_champion(order: Order, retrain: Retrain) -> None:
    asking = order.model_copy(update={"canary_services": ("http://127.0.0.1:1/metrics",)})
    run, first = retrain()
    assert promote(asking, run, first).promoted, "there is no champion to compare it with"
    other, second = retrain()
    assert promote(asking, other, second) == Advance(promoted=False, canary=True, begun=True)
    assert (order.store.alias().target(), order.store.alias("challenger").target()) == (1, 2)
    assert promote(asking, other, second) == Advance(promoted=False, canary=True)
    assert promote(order, other, second) == Advance(promoted=False, canary=True), "it is for others to look at"
    third_run, third = retrain()
    assert promote(order, third_run, third).moved, "without services to ask, none becomes a canary"


def test_with_another_split_only_images_that_validated_both_versions_are_compared(
    order: Order, retrain: Retrain, dataset: DatasetRef, tmp_path: Path
) -> None:
    run, first = retrain()
    promote(order, run, first)
    data = run.recipe.data.model_copy(update={"split_seed": 1})
    resplit = run_in(tmp_path / "resplit", dataset, run.recipe.model_copy(update={"data": data}), "e" * 64)
    found = publish(order, resplit).verdict
    both = set(training.split(dataset, run.recipe).validation) & set(training.split(dataset, resplit.recipe).validation)
    assert f"on different images ({len(both)} validated both, and 29 are needed)" in found.reason
    assert (found.consulted, found.best) == (1, None), "no other version was judged on these images"
