"""What a retraining costs beside the training itself: time and memory, with Prefect's server and without it.

Each round runs the real command twice in folders of its own: a cold run (nothing published, nothing downloaded or
unpacked; the files come from this checkout's copy), then the same command again, which finds nothing changed. Prefect's
home is made before, because only the very first run on a machine has to make its database.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import monotonic

from benchmarks import sides
from benchmarks.memory import watched
from benchmarks.result import Result
from benchmarks.runner import people
from core.errors import ConfigError

__all__ = ["Figures", "measure", "rows"]

UNCHANGED_LIMIT, OVERHEAD_LIMIT, MEMORY_LIMIT = 10.0, 4.0, 600.0
"""Limits: seconds of an unchanged run, seconds of a cold run beside its training, MB of all processes of a run."""

PLAIN = "plain"
"""The engine without Prefect's server."""

_EVERY = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class _Done:
    """One run of the command.

    Attributes:
        outcome: What came of it.
        seconds: From its start to its end.
        training: Seconds of these that it spent in training.
        megabytes: The most resident memory of all its processes together.
    """

    outcome: str
    seconds: float
    training: float
    megabytes: float


@dataclass
class Figures:
    """What one checkout needs with one engine, round by round."""

    unchanged: list[float] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def note(self, cold: _Done, again: _Done) -> None:
        """Add the two runs of a round."""
        self.unchanged.append(again.seconds)
        self.overhead.append(cold.seconds - cold.training)
        self.memory.append(max(cold.megabytes, again.megabytes))


@dataclass(frozen=True)
class _Checkout:
    """The code of one commit, with a Prefect home of its own."""

    root: Path
    home: Path

    def engines(self) -> list[str]:
        """The engines that `retrain` offers; "" for the only one."""
        shown = subprocess.run(
            [*_COMMAND, "--help"], cwd=self.root, env=self._environment(), capture_output=True, text=True, check=True
        )
        return ["prefect", PLAIN] if "--engine" in shown.stdout else [""]

    def run(self, engine: str, folder: Path) -> _Done:
        """Run a retraining with its repository and its data in a folder.

        Raises:
            ConfigError: It failed; its reason is on standard error.
        """
        options = ["--repository", str(folder / "models"), "--data-dir", str(folder / "data"), "--json"]
        options += ["--set", "train.epochs=1", "--mirror", (sides.ROOT / "data/mnist").as_uri()]
        options += ["--engine", engine] if engine else []
        began = monotonic()
        with subprocess.Popen(
            [*_COMMAND, *options], cwd=self.root, env=self._environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            with watched(process.pid, _EVERY) as memory:
                output, _ = process.communicate()
            seconds = monotonic() - began
        if process.returncode:
            raise ConfigError(f"{' '.join(_COMMAND[1:])} failed in {self.root}; its reason is above")
        found = json.loads(output)
        return _Done(found["outcome"], seconds, found["seconds"].get("train", 0.0), max(memory.megabytes))

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "NUMERAL_"))}
        # A trial by a service is measured by itself: it takes as long as the service takes to start.
        ours = {"PREFECT_HOME": str(self.home), "PYTHONPATH": str(self.root), "NUMERAL_INFRA_GATE": "off"}
        return kept | ours | {"COLUMNS": "200"}  # so that the help breaks no option


_COMMAND = [sys.executable, "-m", "pipelines", "retrain"]


def measure(rounds: int, against: Path | None) -> list[Result]:
    """Measure this checkout, and another one if it is named, in turns.

    Args:
        rounds: How often each is measured.
        against: A checkout of another commit.

    Returns:
        A row for each figure, engine and peer: the limit, and the other checkout.

    Raises:
        ConfigError: A run failed.
    """
    with tempfile.TemporaryDirectory(prefix="numeral-pipeline-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        roots = [sides.ROOT, *([against.resolve()] if against else [])]
        checkouts = [_Checkout(root, folder / f"prefect-{place}") for place, root in enumerate(roots)]
        figures = {
            (place, engine): Figures() for place, checkout in enumerate(checkouts) for engine in checkout.engines()
        }
        for place, engine in figures:
            people.print(f"first run, not measured: {_named(engine)}, {roots[place]}", style="dim")
            checkouts[place].run(engine, folder / f"first-{place}-{engine}")
        for number in range(rounds):
            for (place, engine), found in figures.items():
                people.print(f"round {number + 1} of {rounds}: {_named(engine)}, {roots[place]}", style="dim")
                fresh = folder / f"{number}-{place}-{engine}"
                cold, again = checkouts[place].run(engine, fresh), checkouts[place].run(engine, fresh)
                if again.outcome != "unchanged":
                    raise ConfigError(f"the second run was {again.outcome}, expected unchanged")
                found.note(cold, again)
    return [*rows(figures, str(against or ""))]


def rows(figures: dict[tuple[int, str], Figures], other: str) -> Iterator[Result]:
    """Each engine of this checkout against the limits, and against what the other checkout needs with Prefect."""
    theirs = next((found for (place, engine), found in figures.items() if place == 1 and engine != PLAIN), None)
    for (place, engine), ours in figures.items():
        if place:
            continue
        for case, kind, limit, unit in (
            ("unchanged retrain", "unchanged", UNCHANGED_LIMIT, "s"),
            ("cold run without its training", "overhead", OVERHEAD_LIMIT, "s"),
            ("most memory of all processes", "memory", MEMORY_LIMIT, "MB"),
        ):
            name, found = f"{case}, {_named(engine)}", getattr(ours, kind)
            yield _row(name, "limit", found, [limit], unit)
            if theirs:
                yield _row(name, other, found, getattr(theirs, kind), unit)


def _row(case: str, peer: str, ours: Sequence[float], theirs: Sequence[float], unit: str) -> Result:
    """Less is better. The range is that of our rounds against the median of theirs."""
    we, they = median(ours), median(theirs)
    low, high = they / max(ours), they / min(ours)
    return Result(case, peer, round(we, 2), round(they, 2), unit, round(they / we, 2), round(low, 2), round(high, 2))


def _named(engine: str) -> str:
    return "plain engine" if engine == PLAIN else "Prefect"
