"""tools/run.py: what `make run` says at its end."""

import runpy
from typing import Any

import pytest

from tests.docs.pages import ROOT

READING = {"digit": 7, "confidence": 0.5, "model_version": "1"}


def retrained(version: int, outcome: str) -> dict[str, Any]:
    return {
        "version": version,
        "outcome": outcome,
        "metrics": {"test_accuracy": 0.9702},
        "report": f"/models/mnist/{version}/report.html",
    }


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What is printed of a retraining and of the answer of version 1, as lines with single blanks."""
    monkeypatch.chdir(ROOT)
    show = runpy.run_path("tools/run.py")["_show"]

    def lines(result: dict[str, Any]) -> list[str]:
        show(result, READING, {"train": 1.0})
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return lines


@pytest.mark.parametrize("outcome", ["published", "unchanged"])
def test_a_version_that_was_promoted_and_has_answered_is_named_once(outcome: str, shown: Any) -> None:
    lines = shown(retrained(1, outcome))
    at = lines.index(f"model version 1 ({outcome})")
    assert lines[at + 1] == "test accuracy 97.02% on the 10,000 test images"
    assert [line for line in lines if "version 1" in line] == [lines[at]]


@pytest.mark.parametrize("outcome", ["rejected", "unchanged"])
def test_a_version_that_is_not_the_champion_is_shown_apart_from_the_one_that_answered(outcome: str, shown: Any) -> None:
    lines = shown(retrained(2, outcome))
    answered, trained = lines.index("model version 1 (the champion)"), lines.index(f"retraining version 2 ({outcome})")
    assert lines[answered + 1] == ""
    assert lines[trained + 1] == "test accuracy 97.02% on the 10,000 test images"
    assert lines[trained + 2] == "artifact /models/mnist/2"
    assert answered + 2 == trained
