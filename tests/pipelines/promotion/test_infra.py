"""The infra gate: what a trial by a service decides, and where its result is kept."""

from pathlib import Path

import pytest

from core.artifact.manifest import Manifest
from pipelines.order import Order
from pipelines.promotion.advance import Advance, advance
from pipelines.promotion.infra import infra_gate
from tests.core.artifact.builders import publish
from tests.core.artifact.trials import failed_trial

GENEROUS = ("promotion.trial.latency_allowance_ms=100000", "promotion.trial.ready_seconds=600")
"""So that a test does not depend on what else the machine does."""


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), overrides=GENEROUS, infra_gate="auto")


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
        lambda champion: infra_gate(order, manifest, champion),
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
    assert infra_gate(order, manifest, None).outcome == "failed"
    assert advanced(order, manifest).rejected == failed_trial(1).words
    assert order.store.alias().history() == []


@pytest.mark.parametrize(("mode", "allows"), [("auto", True), ("require", False)])
def test_where_no_service_is_installed_the_mode_decides(order, manifest, tmp_path, monkeypatch, mode, allows):
    without("grpc", tmp_path, monkeypatch)
    result = infra_gate(order.model_copy(update={"infra_gate": mode}), manifest, None)
    assert (result.outcome, result.allows) == ("untried", allows)
    assert result.words == (
        "version 1 was not tried by a service: no service can be started here: No module named 'grpc'; "
        "install it with: pip install 'numeral[service]'"
    )
    assert order.store.trial(1) is None


def test_a_gate_that_is_off_promotes_without_a_word(order: Order, manifest: Manifest):
    result = infra_gate(order.model_copy(update={"infra_gate": "off"}), manifest, None)
    assert (result.outcome, result.allows, result.words) == ("off", True, "")


def test_a_version_that_cannot_be_tried_for_another_reason_is_not_promoted(order: Order, manifest: Manifest):
    vanished = manifest.model_copy(update={"version": 7})
    result = infra_gate(order, vanished, 1)
    assert (result.outcome, result.allows) == ("untried", False)
    assert "mnist has no version 7" in result.words
