"""The infra gate: what a trial by a service decides, and where its result is kept."""

from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from core.artifact.sealed import sealed
from core.artifact.trial import Limits, Trial
from pipelines.order import Order
from pipelines.promotion import infra
from pipelines.promotion.advance import Advance, advance
from pipelines.promotion.infra import TrialResult, infra_gate
from tests.core.artifact.builders import publish
from tests.core.artifact.trials import failed_trial, passed_trial

GENEROUS = Limits(latency_allowance_ms=100_000, ready_seconds=600)
"""So that a test does not depend on what else the machine does."""


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), infra_gate="auto")


@pytest.fixture
def manifest(order: Order) -> Manifest:
    return publish(order.store)


def advanced(order: Order, manifest: Manifest) -> Advance:
    """What becomes of a version that the gate lets through."""
    return advance(
        order.store,
        manifest,
        "gate",
        lambda: pytest.fail("the champion has not changed"),
        lambda champion: infra_gate(order, manifest, champion, GENEROUS),
        lambda: None,
        by="a test",
        say=print,
    )


def without(package: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a package from the processes that are started."""
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(f"raise ModuleNotFoundError(\"No module named '{package}'\")")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_sound_version_is_promoted_with_its_trial_on_record_and_in_the_reason(order: Order, manifest: Manifest):
    assert advanced(order, manifest).promoted
    trial = order.store.trial(1)
    assert trial is not None
    assert trial.passed
    (move,) = order.store.alias().history()
    assert move.why == f"{manifest.verdict.reason}; {trial.words}"


def test_a_version_whose_trial_failed_is_not_tried_again_and_not_promoted(order: Order, manifest: Manifest):
    order.store.record_trial(failed_trial(1))
    assert infra_gate(order, manifest, None, GENEROUS) == TrialResult.of(failed_trial(1))
    assert infra_gate(order, manifest, 7, GENEROUS) == TrialResult.of(failed_trial(1)), "whatever it is beside"
    assert advanced(order, manifest).rejected == f"{failed_trial(1).words}; models promote 1 overrules it"
    assert order.store.alias().history() == []


@pytest.fixture
def tried_beside(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Services pass whatever they try, but beside version 6; beside which versions they have tried one."""
    beside: list[int | None] = []

    def tried(url: str, version: int, champion: int | None, limits: Limits) -> Trial:
        beside.append(champion)
        found = failed_trial(version) if champion == 6 else passed_trial(version)
        return found.model_copy(update={"beside": champion})

    monkeypatch.setattr(infra, "_try", tried)
    return beside


def test_a_trial_that_was_passed_counts_only_beside_the_champion_of_that_time(
    order: Order, manifest: Manifest, tried_beside: list[int | None]
):
    order.store.record_trial(passed_trial(1).model_copy(update={"beside": 5}))
    for champion in (5, 7, 7, None):
        assert infra_gate(order, manifest, champion, GENEROUS).allows
    assert tried_beside == [7, None]
    log = order.store.trials(1)
    assert [trial and trial.beside for trial in map(log.at, log.paths())] == [5, 7, None], "each trial is on record"


def test_a_version_that_fails_beside_a_new_champion_is_refused_for_good_with_its_reason(
    order: Order, manifest: Manifest, tried_beside: list[int | None]
):
    order.store.record_trial(passed_trial(1).model_copy(update={"beside": 5}))
    first = infra_gate(order, manifest, 6, GENEROUS)
    again = infra_gate(order, manifest, 5, GENEROUS)
    assert (first.allows, first.news, again.allows, again.news) == (False, True, False, False)
    assert first.words == again.words == failed_trial(1).words
    assert tried_beside == [6], "a version that has failed is not tried again"
    assert order.store.trial(1) == failed_trial(1).model_copy(update={"beside": 6})


@pytest.mark.parametrize(("mode", "allows"), [("auto", True), ("require", False)])
def test_where_no_service_is_installed_the_mode_decides(order, manifest, tmp_path, monkeypatch, mode, allows):
    without("grpc", tmp_path, monkeypatch)
    result = infra_gate(order.model_copy(update={"infra_gate": mode}), manifest, None, GENEROUS)
    assert result.allows is allows
    assert result.words == (
        "version 1 was not tried by a service: no service can be started here: No module named 'grpc'; "
        "install it with: pip install 'numeral[service]'"
    )
    assert order.store.trial(1) is None


def test_a_gate_that_is_off_promotes_without_a_word(order: Order, manifest: Manifest):
    result = infra_gate(order.model_copy(update={"infra_gate": "off"}), manifest, None, GENEROUS)
    assert result == TrialResult(allows=True)


def test_a_version_that_cannot_be_tried_for_another_reason_is_not_promoted(order: Order, manifest: Manifest):
    vanished = manifest.model_copy(update={"version": 7})
    result = infra_gate(order, vanished, 1, GENEROUS)
    assert not result.allows
    assert "mnist has no version 7" in result.words


@pytest.mark.parametrize("what", ["of a newer Numeral", "unreadable"])
def test_a_version_whose_record_cannot_be_understood_is_neither_tried_nor_promoted(
    order: Order, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, what: str
):
    order.store.record_trial(failed_trial(1))
    record = Path(order.repository) / "mnist/1/trial.json"
    if what == "unreadable":
        record.unlink()
        record.mkdir()
    else:
        record.write_bytes(sealed({"schema_version": 2}))
    monkeypatch.setattr(infra, "_try", lambda *_: pytest.fail("it was tried"))
    found = infra_gate(order, manifest, None, GENEROUS)
    assert not found.allows
    assert "the record of the trial of version 1 cannot be understood: mnist/1/trial.json" in found.words
    assert found.next_step.endswith("models promote 1 overrules it")


def test_a_torn_record_is_replaced_by_a_further_trial(
    order: Order, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
):
    (Path(order.repository) / "mnist/1/trial.json").write_text("{")
    monkeypatch.setattr(infra, "_try", lambda *_: failed_trial(1))
    assert not infra_gate(order, manifest, None, GENEROUS).allows
    assert order.store.trial(1) == failed_trial(1)
