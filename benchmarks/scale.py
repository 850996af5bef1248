"""How fast, and in how much memory, the pipeline reads millions of images: `python -m benchmarks scale`.

Each row runs a real command in a process of its own, on a file of MNIST's images repeated as often as asked, and takes
the figures from its own summary; memory is that of all its processes together, looked at 20 times a second. Another
command gets its rows by a function from `Scale` to results, named in `ROWS`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import many_versions
from benchmarks.digits import DIGITS
from benchmarks.memory import watched
from benchmarks.result import Result
from benchmarks.runner import people
from benchmarks.sides import ROOT
from core.data import mnist
from core.data.large import writer
from core.digit import SIDE
from core.errors import ConfigError

__all__ = ["FULL", "Scale", "measure"]

FULL = 8_000_000
SMALL = 70_000
"""Images of the runs that the large one is compared with: as many as MNIST has."""

RATE_LIMIT = 25_000
"""Images per second that scoring must reach."""

GROWTH_LIMIT = 100.0
"""MB that memory may grow from 70,000 images to any number: constant, but for the noise of several processes."""

TRIALS, EPOCHS, SPEEDUP_LIMIT = 30, 5, 1.7
"""Of a sweep: its trials, the epochs of each, and how many times faster two workers must be than one."""

VERSIONS, VERSION_ROUNDS = 5000, 3
"""How many versions are listed, and how often."""

_EVERY = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Scale:
    """Where rows are measured, and on how much.

    Attributes:
        folder: For temporary files.
        repository: Folder or URL of the versions; the champion reads.
        images: How many images the large runs read.
        workers: How many processes, or workers of a Dask cluster; one row is without, for as many as pay.
    """

    folder: Path
    repository: str
    images: int
    workers: int

    def file_of(self, count: int) -> Path:
        """An IDX file of MNIST's images over and over; it is written once."""
        path = self.folder / f"{count}-images-idx3-ubyte"
        if not path.exists():
            digits = mnist.load(DIGITS).train_images
            with writer(path, (SIDE, SIDE)) as append:
                for start in range(0, count, len(digits)):
                    append(digits[: min(len(digits), count - start)])
        return path

    def run(self, *words: str) -> tuple[dict[str, Any], float]:
        """Run a command of the pipeline: the JSON that it prints, and the most memory of all its processes, in MB.

        Raises:
            ConfigError: It failed; its reason is on standard error.
        """
        command = [sys.executable, "-m", "pipelines", *words, "--json"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
            with watched(running.pid, _EVERY) as memory:
                printed, _ = running.communicate()
            if running.returncode:
                raise ConfigError(f"{' '.join(words[:1])} ended with status {running.returncode}, expected 0")
        return json.loads(printed), max(memory.megabytes)


def measure(images: int, workers: int, repository: str, pattern: str = "*", folder: Path | None = None) -> list[Result]:
    """Measure the rows of the matching commands.

    Args:
        images: How many images the large runs read.
        workers: How many processes, or workers of a Dask cluster; one row is without, for as many as pay.
        repository: Folder or URL of the versions; the champion reads.
        pattern: Which names of `ROWS`.
        folder: Where temporary files are written; None for the system's temporary folder.
    """
    chosen = [rows for name, rows in ROWS.items() if fnmatchcase(name, pattern)]
    if not chosen:
        raise ConfigError(f"--case {pattern}: matches none of {', '.join(ROWS)}")
    with tempfile.TemporaryDirectory(prefix="numeral-scale-", dir=folder) as temporary:
        scale = Scale(Path(temporary), repository, images, workers)
        return [result for rows in chosen for result in rows(scale)]


def score_rows(scale: Scale) -> list[Result]:
    """Scoring: images per second by processes and by Dask, and how memory grows with the number of images."""
    local, dask = (("--runner", name, "--workers", str(scale.workers)) for name in ("local", "dask"))
    results, peaks = [], []
    for options, count in (((), SMALL), (dask, SMALL), (local, SMALL), (local, scale.images)):
        people.print(f"score: {count:,} images {' '.join(options)}")
        found, peak = scale.run(
            *("score", str(scale.file_of(count)), "--output", str(scale.folder / "table.csv"), *options),
            *("--repository", scale.repository, "--data-dir", str(scale.folder / "data")),
        )
        workers = "in one process" if found["runner"] == "here" else f"{found['workers']} {found['runner']} workers"
        case = f"score {count:,} images, {workers}"
        started = found["items"] / (found["seconds"] - found["starting_seconds"])
        results += [
            _rate(f"{case}, with their start", found["images_per_second"]),
            _rate(f"{case}, once started", started),
            Result(f"{case}, peak memory", "none", round(peak), None, "MB", None),
        ]
        peaks.append(peak)
    growth = peaks[-1] - peaks[-2]  # by as many workers
    case = f"score, growth of memory from {SMALL:,} to {scale.images:,} images"
    ratio = round(GROWTH_LIMIT / max(growth, 1.0), 2)
    return [*results, Result(case, "limit (constant)", round(growth), GROWTH_LIMIT, "MB", ratio)]


def _rate(case: str, images_per_second: float) -> Result:
    ratio = round(images_per_second / RATE_LIMIT, 2)
    return Result(case, "limit", round(images_per_second), RATE_LIMIT, "images/s", ratio)


def version_rows(scale: Scale) -> list[Result]:
    """A list, and the look for an unchanged version, in a repository with 5,000 versions."""
    return list(many_versions.measure(VERSIONS, VERSION_ROUNDS, scale.folder))


def sweep_rows(scale: Scale) -> list[Result]:
    """A sweep of a few trials: how many times faster two workers are than one, each on fresh folders."""
    seconds = {}
    for workers in (1, 2):
        people.print(f"sweep: {TRIALS} trials by {workers} worker{'' if workers == 1 else 's'}")
        place = scale.folder / f"sweep-{workers}"
        words = ["sweep", "--space", str(ROOT / "recipes/spaces/mlp.toml"), "--trials", str(TRIALS), "--pruner", "none"]
        words += ["--set", f"train.epochs={EPOCHS}", "--workers", str(workers), "--no-publish"]
        words += ["--repository", str(place / "models"), "--data-dir", str(place / "data"), "--mirror", DIGITS.as_uri()]
        began = perf_counter()
        scale.run(*words)
        seconds[workers] = perf_counter() - began
    ratio = seconds[1] / seconds[2]
    case = f"sweep, {TRIALS} trials: one worker ÷ two"
    return [Result(case, "limit", round(ratio, 2), SPEEDUP_LIMIT, "times", round(ratio / SPEEDUP_LIMIT, 2))]


ROWS: dict[str, Callable[[Scale], list[Result]]] = {
    "score": score_rows,
    "sweep": sweep_rows,
    "versions": version_rows,
}
"""The commands that are measured, by name."""
