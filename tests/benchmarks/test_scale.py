"""The benchmark of scale: real commands on little data."""

import numpy as np
import pytest

from benchmarks import scale
from benchmarks.scale import Scale, measure
from core.data.large import memory_map
from core.errors import ConfigError
from core.shipped import ROOT

PRETRAINED = str(ROOT / "pretrained")


def test_scoring_has_rates_with_and_without_the_start_and_a_bound_on_memory(monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    monkeypatch.setattr(scale, "SMALL", 100)
    results = measure(200, 1, PRETRAINED, "score", tmp_path)
    cases = [result.case for result in results]
    assert [case for case in cases if "with their start" in case] == [
        "score 100 images, in one process, with their start",
        "score 100 images, 1 dask workers, with their start",
        "score 100 images, in one process, with their start",
        "score 200 images, in one process, with their start",
    ]
    assert all(result.ours > 0 for result in results if "growth" not in result.case)
    assert cases[-1] == "score, growth of memory from 100 to 200 images"
    assert results[-1].theirs == scale.GROWTH_LIMIT
    assert not list(tmp_path.iterdir())


def test_the_file_has_as_many_images_as_asked_however_many_mnist_has(tmp_path):
    images = memory_map(Scale(tmp_path, PRETRAINED, 0, 1).file_of(60_001))
    assert images.shape == (60_001, 28, 28)
    assert np.array_equal(images[-1], images[0])


def test_a_pattern_that_matches_no_command_is_an_error_that_lists_them():
    with pytest.raises(ConfigError, match="--case nothing: matches none of score"):
        measure(1, 1, PRETRAINED, "nothing")


def test_a_command_that_fails_ends_the_benchmark(tmp_path):
    with pytest.raises(ConfigError, match="score ended with status 1, expected 0"):
        Scale(tmp_path, PRETRAINED, 1, 1).run("score", str(tmp_path / "none"), "--output", str(tmp_path / "t.csv"))


def test_lists_and_the_look_for_an_unchanged_version_are_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(scale, "VERSIONS", 3)
    monkeypatch.setattr(scale, "VERSION_ROUNDS", 1)
    results = measure(1, 1, PRETRAINED, "versions", tmp_path)
    assert [result.case for result in results] == [
        "models list, 3 versions",
        "models list --json, 3 versions",
        "models list --json, no manifest known, 3 versions",
        "unchanged check, 3 versions",
    ]
    assert all(result.ratio > 0 for result in results)


def test_a_sweep_by_two_workers_is_compared_with_one(monkeypatch, tmp_path):
    pytest.importorskip("optuna")
    monkeypatch.setattr(scale, "TRIALS", 1)
    monkeypatch.setattr(scale, "EPOCHS", 1)
    (result,) = measure(1, 1, PRETRAINED, "sweep", tmp_path)
    assert result.case == "sweep, 1 trials: one worker ÷ two"
    assert result.ours > 0
