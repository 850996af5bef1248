"""Small sweeps, in this process or in one of its own, and workers that die on the way."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipelines.order import Order
from pipelines.references import DatasetRef
from pipelines.sweep import sweep_job as conduct
from pipelines.sweep.course import Courses
from pipelines.sweep.plan import Plan
from pipelines.sweep.rung import Climbed, Rung, climb
from pipelines.sweep.space import Between, OneOf, Space
from pipelines.sweep.swept import Swept
from pipelines.workers import Processes
from pipelines.workers.on_dask import OnDask

U = TypeVar("U")
R = TypeVar("R")

SPACE = Space(
    "tiny.toml",
    (
        Between("train.learning_rate", 1e-4, 0.3, log=True),
        Between("model.layers.0.units", 4, 16, step=4),
        OneOf("train.schedule", ('"constant"', '"cosine"')),
    ),
)

SMALL = ("data.validation_images=100", "train.epochs=3", "model.layers.0.units=16")


def order_in(folder: Path, *overrides: str) -> Order:
    """The recipe mlp, made small; everything is kept in the folder."""
    return Order(
        recipe="mlp", overrides=(*SMALL, *overrides), repository=str(folder / "models"), data_dir=folder / "cache"
    )


def plan_of(trials: int, **given: Any) -> Plan:
    """A plan that publishes nothing."""
    return Plan(**({"space": SPACE, "trials": trials, "publish": False} | given))


def sweep(folder: Path, dataset: DatasetRef, trials: int, workers: int = 1, **given: Any) -> Swept:
    """A sweep by processes."""
    return conduct.sweep_on(dataset, order_in(folder), plan_of(trials, **given), Processes(workers))


def decided(swept: Swept) -> list[tuple[Any, ...]]:
    """All of a sweep that does not depend on time: what each training tried, and what came of it, to the bit."""
    trials = [(row.number, row.state, row.values, row.losses, row.weights_sha256) for row in swept.trials]
    return [*trials, *((one.number, one.seeds, one.losses, one.weights_sha256) for one in swept.finalists)]


@dataclass(frozen=True)
class DyingOnce:
    """Does a rung and dies before it answers, the first time that the named one is done."""

    rung: str
    mark: Path

    def __call__(self, rung: Rung) -> Climbed:
        climbed = climb(rung)
        if str(rung) == self.rung and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return climbed


class DyingProcesses(Processes):
    """Processes, one of which dies in the middle of a trial."""

    dying: DyingOnce

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        return super().run(self.dying, units)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Diverging:
    """Does a rung, but for those of some trainings, which fail."""

    part: str

    def __call__(self, rung: Rung) -> Climbed:
        return Climbed(0.0, failure="step 7: the loss is inf") if self.part in rung.name else climb(rung)


class DivergingProcesses(Processes):
    """Processes in which some trainings diverge: those whose name has a part."""

    part: str

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        return super().run(Diverging(self.part), units)  # type: ignore[arg-type]


class DyingOnDask(OnDask):
    """A cluster, one of whose workers dies in the middle of a trial."""

    dying: DyingOnce

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        return super().run(self.dying, units)  # type: ignore[arg-type]


def main(folder: str, dataset: str, trials: str, kept: str) -> None:
    """Sweep in this process, which is killed once it has kept a training so many times; 0 is never."""
    keep, left = Courses.keep, int(kept)

    def keep_and_die(self: Courses, *given: Any) -> None:
        nonlocal left
        keep(self, *given)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Courses.keep = keep_and_die  # type: ignore[method-assign]
    found = DatasetRef.model_validate_json(Path(dataset).read_bytes())
    print(sweep(Path(folder), found, int(trials)).model_dump_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
