"""Settings: what the environment sets for every command."""

from pathlib import Path

import pytest

from pipelines.settings import ROOT, Settings


def test_the_environment_sets_the_repository_and_the_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_REPOSITORY", "s3://bucket/models")
    monkeypatch.setenv("NUMERAL_MIRRORS", '["file:///mnt/mnist"]')
    assert Settings().repository == "s3://bucket/models"
    assert Settings().mirrors == ("file:///mnt/mnist",)


def test_the_environment_names_the_feedback_folder_or_turns_feedback_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMERAL_FEEDBACK", str(tmp_path))
    assert Settings().feedback == tmp_path
    monkeypatch.setenv("NUMERAL_FEEDBACK", "off")
    assert Settings().feedback is None


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_REPOSITORY", "")
    monkeypatch.setenv("NUMERAL_FEEDBACK", "")
    assert (Settings().repository, Settings().feedback) == ("./models", None)


def test_new_data_is_judged_by_what_ships_by_another_repository_or_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMERAL_PRETRAINED", raising=False)
    assert Settings().pretrained == str(ROOT / "pretrained")
    monkeypatch.setenv("NUMERAL_PRETRAINED", "s3://bucket/models")
    assert Settings().pretrained == "s3://bucket/models"
    monkeypatch.setenv("NUMERAL_PRETRAINED", "off")
    assert Settings().pretrained is None
