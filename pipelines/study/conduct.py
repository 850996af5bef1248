"""`conduct`: train every variant of a study, several at once, and keep what came of each."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time

from core.data.durable import UNFINISHED, write_whole
from core.errors import ConfigError
from pipelines.engine.stopping import Stopped, as_stop
from pipelines.references import DatasetRef
from pipelines.study.trial_run import TrialRun, train_variant
from pipelines.study.variant import Variant
from pipelines.study.variant_outcome import Outcome
from pipelines.workers import Processes
from pipelines.workers.processors import usable_processors

__all__ = ["Row", "conduct", "processors", "reclaim"]


@dataclass(frozen=True)
class Row:
    """A variant and what came of it.

    Attributes:
        variant: What was trained.
        outcome: How it went.
        reused: Whether an earlier study had trained it.
    """

    variant: Variant
    outcome: Outcome
    reused: bool


def conduct(
    variants: Sequence[Variant],
    dataset: DatasetRef,
    images: int,
    folder: Path,
    workers: int,
    on_row: Callable[[Row, int], None],
) -> tuple[Row, ...]:
    """Train what no earlier study has trained, and give back all.

    Each outcome is kept by its content as soon as it is known: a study that is stopped, or repeated, or that shares
    variants with another one, trains only what is missing.

    Args:
        variants: What to compare.
        dataset: MNIST.
        images: How many training images each variant is given.
        folder: Where outcomes are kept.
        workers: How many variants to train at a time, at least 1.
        on_row: Called with each row as soon as it is known, and how many are known by then.

    Returns:
        A row for each variant, in their order.

    Raises:
        ConfigError: A variant cannot be trained, or there are not as many images.
        WorkerLostError: The processes that train a variant die again and again.
        StorageError: An outcome cannot be kept.
    """
    runs = [TrialRun(variant.name, dataset.files, variant.resolved(), images) for variant in variants]
    available = dataset.train_images - max(run.recipe.data.validation_images for run in runs)
    if images > available:
        raise ConfigError(f"--images {images:,}: there are {available:,} to train on; the others validate")
    rows: dict[int, Row] = {}

    def known(at: int, outcome: Outcome, *, reused: bool) -> None:
        rows[at] = Row(variants[at], outcome, reused)
        on_row(rows[at], len(rows))

    places = [folder / f"{run.fingerprint[:16]}.json" for run in runs]
    try:
        for at, place in enumerate(places):
            if (outcome := _kept(place)) is not None:
                known(at, outcome, reused=True)
        missing = [at for at in range(len(runs)) if at not in rows]
        for at, outcome in _trained([(at, runs[at]) for at in missing], workers):
            write_whole(places[at], outcome.model_dump_json().encode())
            known(at, outcome, reused=False)
    except BaseException as error:
        if isinstance(stopped := as_stop(error), Stopped):
            done = f"{len(rows)} of {len(runs)} variants are trained"
            stopped.tell(f"stopped: {done}; run the same command again to go on")
            raise stopped from None
        raise
    return tuple(rows[at] for at in range(len(runs)))


def processors() -> int:
    """How many this process may use."""
    return usable_processors()


def reclaim(folder: Path, keep: timedelta) -> None:
    """Remove outcomes that no study has asked for in so long, and what a killed study was writing."""
    now = time()
    for file in (*folder.glob("*.json"), *folder.glob(UNFINISHED)):
        with suppress(OSError):
            if now - file.stat().st_mtime > keep.total_seconds():
                file.unlink()


def _trained(missing: Sequence[tuple[int, TrialRun]], workers: int) -> Iterator[tuple[int, Outcome]]:
    """Each with its place in the study, as soon as it is done."""
    if not missing:
        return
    alike: dict[str, list[tuple[int, TrialRun]]] = {}  # such as a rate of 1 and one of 1.0
    for at, run in missing:
        alike.setdefault(run.fingerprint, []).append((at, run))
    with Processes(min(workers, len(alike))) as processes:
        for run, outcome in processes.run(train_variant, (same[0][1] for same in alike.values())):
            for at, _ in alike[run.fingerprint]:
                yield at, outcome


def _kept(place: Path) -> Outcome | None:
    """What an earlier study kept; None if there is none, or none to rely on."""
    try:
        outcome = Outcome.model_validate_json(place.read_bytes())
        os.utime(place)  # asked for: see `reclaim`
    except (OSError, ValueError):
        return None
    return outcome
