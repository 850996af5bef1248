"""The accuracy of a recipe: its row in docs/accuracy.md, by training it with several seeds.

    python -m benchmarks.accuracy cnn --seeds 1 2 3

Each seed is a complete `python -m pipelines retrain`, which uses the test set once, after all choices have been made.
The row summarizes all runs, not the best one.
"""

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any


def main(arguments: list[str] | None = None) -> None:
    """Train, and print the row, or with --json all measurements."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", help="a name in recipes/, or the path of a .toml file")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="default: 1 2 3")
    parser.add_argument("--repository", default="./accuracy", help="where versions are published; default: ./accuracy")
    parser.add_argument(
        "--data-dir", default="data/cache", help="for downloads and interrupted trainings; default: data/cache"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    runs = [_retrain(chosen.recipe, seed, chosen.repository, chosen.data_dir) for seed in chosen.seeds]
    print(json.dumps(runs, indent=2) if chosen.json else row(chosen.recipe, runs))


def row(recipe: str, runs: list[dict[str, Any]]) -> str:
    """A row of the table: recipe, test accuracy, validation accuracy, calibration error, minutes of training."""
    measures = ["test_accuracy", "validation_accuracy", "calibration_error"]
    shares = [_mean_and_spread([100 * run["metrics"][measure] for run in runs]) + "%" for measure in measures]
    # A version that already existed was not trained again, so it has no training time.
    minutes = [run["seconds"]["train"] / 60 for run in runs if "train" in run["seconds"]]
    time = f"{statistics.mean(minutes):.1f}" if minutes else "not trained again"
    return f"| `{recipe}` | {' | '.join(shares)} | {len(runs)} | {time} |"


def _mean_and_spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.2f}"


def _retrain(recipe: str, seed: int, repository: str, data_dir: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "pipelines", "retrain", "--recipe", recipe, "--set", f"train.seed={seed}"]
    # None is promoted: the gate would reject some seeds, and each is to be measured.
    command += ["--repository", repository, "--data-dir", data_dir, "--promote", "never", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"benchmarks.accuracy: {' '.join(command[1:])} failed; its reason stands above")
    found: dict[str, Any] = json.loads(done.stdout)
    return {"seed": seed} | found


if __name__ == "__main__":
    main()
