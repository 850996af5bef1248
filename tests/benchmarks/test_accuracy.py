"""The rows of docs/accuracy.md."""

import json
from pathlib import Path

import pytest

from benchmarks import accuracy
from tests.prefect_server import Prefect


def run(test_accuracy: float, seconds: float) -> dict[str, object]:
    metrics = {"test_accuracy": test_accuracy, "validation_accuracy": 0.99, "calibration_error": 0.002}
    return {"seed": 1, "metrics": metrics, "seconds": {"train": seconds}}


def test_a_row_has_mean_and_standard_deviation_over_all_seeds() -> None:
    row = accuracy.row("cnn", [run(0.996, 60), run(0.997, 120), run(0.995, 180)])
    assert row == "| `cnn` | 99.60 ± 0.10% | 99.00 ± 0.00% | 0.20 ± 0.00% | 3 | 2.0 |"


def test_one_run_has_no_spread() -> None:
    assert accuracy.row("ensemble", [run(0.9972, 90)]).startswith("| `ensemble` | 99.72% |")


def test_every_seed_is_a_retraining_of_its_own(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    prefect: Prefect,
    prefect_environment: dict[str, str],
) -> None:
    mirrors = json.dumps([Path("data/mnist").resolve().as_uri()])
    for name, value in (prefect_environment | {"PREFECT_API_URL": prefect.url, "NUMERAL_MIRRORS": mirrors}).items():
        monkeypatch.setenv(name, value)
    recipe = tmp_path / "small.toml"
    recipe.write_text(
        Path("recipes/mlp.toml").read_text("utf-8").replace("epochs = 15", "epochs = 1").replace("128", "8"), "utf-8"
    )
    folders = ["--repository", str(tmp_path / "models"), "--data-dir", str(tmp_path / "data")]
    accuracy.main([str(recipe), "--seeds", "3", "4", *folders, "--json"])
    first, second = json.loads(capsys.readouterr().out)
    assert [first["seed"], second["seed"]] == [3, 4]
    assert first["weights_sha256"] != second["weights_sha256"]
    assert 0.5 < first["metrics"]["test_accuracy"] < 1


def test_what_a_retraining_refuses_ends_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="failed; its reason stands above"):
        accuracy.main(["no-such-recipe", "--seeds", "1", "--repository", str(tmp_path)])
