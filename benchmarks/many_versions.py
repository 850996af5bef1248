"""A repository with thousands of versions: how long a list takes, and how long to see that nothing is to be trained."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import versions
from benchmarks.result import Result
from benchmarks.runner import people
from core.artifact.repository import Repository
from pipelines.retrain.steps import find_unchanged
from pipelines.settings import OFF

__all__ = ["measure"]

LIST_LIMIT, FIRST_LIST_LIMIT, UNCHANGED_LIMIT = 1.5, 5.0, 1.0
"""Seconds: for manifests that were listed before, and for those that were not."""


def measure(count: int, rounds: int, place: Path | None = None) -> Iterator[Result]:
    """Measure the real commands in turns, with a repository that is made for it.

    Args:
        count: How many versions it has.
        rounds: How often each is measured.
        place: Where the repository is made; None for the system's temporary folder.

    Raises:
        ConfigError: No version could be trained; the reason is on standard error.
    """
    with tempfile.TemporaryDirectory(prefix="numeral-versions-", dir=place, ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary) / "models"
        _fill(versions.trained(folder), folder, count)
        listing = [sys.executable, "-m", "pipelines", "models", "list", "--repository", str(folder)]

        def command(*options: str, remembered: str = str(Path(temporary) / "remembered")) -> Callable[[], object]:
            environment = os.environ | {"NUMERAL_CACHE_DIR": remembered}
            return lambda: subprocess.run([*listing, *options], capture_output=True, check=True, env=environment)

        command("--json")()  # from now on, the manifests are known
        cases: dict[str, tuple[Callable[[], object], float]] = {
            "models list": (command(), LIST_LIMIT),
            "models list --json": (command("--json"), LIST_LIMIT),
            "models list --json, no manifest known": (command("--json", remembered=OFF), FIRST_LIST_LIMIT),
            "unchanged check": (lambda: find_unchanged(Repository(str(folder)), "f" * 64), UNCHANGED_LIMIT),
        }
        seconds: dict[str, list[float]] = {case: [] for case in cases}
        for number in range(rounds):
            people.print(f"round {number + 1} of {rounds}: {count:,} versions", style="dim")
            for case, (act, _) in cases.items():
                began = perf_counter()
                act()
                seconds[case].append(perf_counter() - began)
    for case, (_, limit) in cases.items():
        ours = median(seconds[case])
        low, high = limit / max(seconds[case]), limit / min(seconds[case])
        yield Result(
            f"{case}, {count:,} versions",
            "limit",
            round(ours, 2),
            limit,
            "s",
            round(limit / ours, 2),
            round(low, 2),
            round(high, 2),
        )


def _fill(store: Repository, folder: Path, count: int) -> None:
    """Make copies of the only version; each has a manifest of its own, and shares the other files."""
    first = store.manifest(1)
    for number in range(2, count + 1):
        version = folder / store.model / str(number)
        version.mkdir()
        for filename in first.files:
            os.link(folder / store.model / "1" / filename, version / filename)
        copy = first.model_copy(update={"version": number, "fingerprint": f"{number:064x}"})
        (version / "manifest.json").write_bytes(copy.encode())
