"""A scoring, from the inputs to the table. Killed at any time, the same command does only what is missing.

    data_dir/score/<of the table's path>/          held by one run at a time, removed when the table is complete
        parts.jsonl                                the parts, in order
        <of what is asked, and of the part>.part   the rows of a part; it appears whole
        <of the file>.idx                          a gzipped IDX file, unpacked
    .<table>.lock, beside the table                held while it is written: other runs may have another data_dir

The name of a part's rows is a digest of all that decides them: the weights, the code and the libraries that read, the
format, and the part with the identity of its files. So rows of another version, of other code or of a changed file are
never taken.
"""

import hashlib
import json
import os
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from core.artifact.manifest import WEIGHTS
from core.artifact.repository import CHAMPION, Repository
from core.data.durable import UNFINISHED, storage_error, write_whole
from core.errors import VersionNotFoundError
from core.imaging import framing_version
from pipelines.engine.stopping import Stopped
from pipelines.lock import locked
from pipelines.retrain.work import lock_of
from pipelines.score.answering import Asked, reader
from pipelines.score.fragment import Format
from pipelines.score.here import Here
from pipelines.score.part import Part
from pipelines.score.partition import Partition
from pipelines.score.score_progress import ScoreProgress
from pipelines.score.scored import Scored, counts_of
from pipelines.score.table import check_place, refuse, write_table
from pipelines.voice import say
from pipelines.workers import Processes, Workers
from pipelines.workers.processors import usable_processors

__all__ = ["ScoreOrder", "score"]

Runner = Literal["local", "dask"]

_FEW_PARTS = 2
"""Up to so many missing parts are done in this process, whatever number of workers is asked for."""


@dataclass(frozen=True)
class ScoreOrder:
    """What to read, with which version, and who does it.

    Attributes:
        inputs: Files, folders and patterns.
        output: The table.
        repository: Folder or URL of the versions.
        data_dir: Where unfinished work is kept.
        version: The version's number; None for the one that `alias` points to.
        alias: See there.
        workers: How many; None for up to as many as there are usable processors, if that is quicker than this process
            alone.
        runner: Processes of this machine, or a Dask cluster.
        address: Of the cluster's scheduler; None for a cluster on this machine that ends with the run.
    """

    inputs: tuple[str, ...]
    output: Path
    repository: str
    data_dir: Path
    version: int | None = None
    alias: str = CHAMPION
    workers: int | None = None
    runner: Runner = "local"
    address: str | None = None

    @property
    def folder(self) -> Path:
        """Where unfinished work is kept: by the table's path, so that the same command finds it."""
        name = hashlib.sha256(os.fsencode(os.path.realpath(self.output))).hexdigest()[:32]
        return self.data_dir / "score" / name


def score(order: ScoreOrder) -> Scored:
    """Read everything, and write the table.

    Raises:
        ConfigError: An input does not exist, holds nothing, or the table's name asks for no format.
        DataError: An IDX file or a Parquet table is damaged; or an input has changed meanwhile.
        ArtifactError: There is no such version, or it is damaged.
        StorageError: Another run writes the same table, or nothing can be written there.
        WorkerLostError: The workers of one part died again and again, or the scheduler of the cluster is gone.
    """
    began = perf_counter()
    asked = _asked(order)
    check_place(order.output)
    folder = order.folder
    with locked(lock_of(folder), lambda holder: refuse(order.output, holder), say):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for unfinished in folder.glob(UNFINISHED):
                unfinished.unlink()  # of a run that was killed: whoever holds the folder writes there alone
        except OSError as error:
            raise storage_error(folder, error) from error
        scored = _Scoring(order, asked, folder, began).score()
        shutil.rmtree(folder)
    return scored


def _asked(order: ScoreOrder) -> Asked:
    """Which version, and what is known of it before anyone loads it."""
    kind = Format.of(order.output)
    repository = Repository(order.repository)
    number = order.version
    if number is None:
        number = repository.champion() if order.alias == CHAMPION else repository.alias(order.alias).target()
    if number is None:
        raise VersionNotFoundError(
            f"repository {repository.url} has no alias {order.alias}; see: python -m pipelines models list"
        )
    manifest = repository.manifest(number)
    framing = framing_version(manifest.preprocessing.framing)
    return Asked(repository.url, number, manifest.files[WEIGHTS].sha256, framing, kind, reader())


class _Scoring:
    """One run, which holds the folder."""

    def __init__(self, order: ScoreOrder, asked: Asked, folder: Path, began: float) -> None:
        self._order, self._asked, self._folder, self._began = order, asked, folder, began
        deciding = {
            "version": asked.version,
            "weights": asked.weights_sha256,
            "framing": asked.framing,
            "format": asked.format.value,
            "reader": asked.reader,
        }
        self._deciding = json.dumps(deciding, sort_keys=True)

    def score(self) -> Scored:
        partition = Partition.of(self._order.inputs, self._order.output, self._folder, say)
        missing, kept = 0, 0
        for part in partition:
            there = self._rows(part).exists()
            missing, kept = missing + (not there), kept + part.count * there
        if missing < partition.parts:
            say(f"going on: {partition.parts - missing:,} of {partition.parts:,} parts are done already")
        starting = 0.0
        with ScoreProgress(partition.items, kept) as progress:
            try:
                count, starting = self._answer(partition, self._workers(missing), progress)
            except Stopped as stopped:
                stopped.tell(
                    f"stopped after {kept + progress.done:,} of {partition.items:,} images; the same command goes on"
                )
                raise
        described = {f"numeral.{name}": str(value) for name, value in self._known().items()}
        tally = write_table(self._order.output, self._asked.format, map(self._rows, partition), described)
        seconds = perf_counter() - self._began
        return Scored(
            output=str(self._order.output),
            **self._known(),
            **counts_of(tally),
            parts=partition.parts,
            kept_parts=partition.parts - missing,
            seconds=round(seconds, 3),
            starting_seconds=round(starting, 3),
            images_per_second=round(progress.done / seconds, 1),
            runner=self._order.runner if missing and (self._order.runner == "dask" or count > 1) else "here",
            workers=count,
        )

    def _answer(
        self, partition: Partition, workers: "AbstractContextManager[Workers]", progress: ScoreProgress
    ) -> tuple[int, float]:
        """Do the missing parts: how many workers did, and the seconds until the first of them could begin."""
        starting = 0.0
        missing = (part for part in partition if not self._rows(part).exists())
        with workers as ready:
            for part, fragment in ready.run(self._asked.answer, missing):
                if not progress.done:
                    starting = perf_counter() - self._began - fragment.seconds
                write_whole(self._rows(part), fragment.encode())
                progress.add(part.count)
            return ready.count, starting

    def _workers(self, missing: int) -> "AbstractContextManager[Workers]":
        """Who does the parts. A number that was asked for is kept to; else this process begins, and decides."""
        count = self._order.workers or usable_processors()
        if self._order.runner == "dask" and missing:
            from pipelines.workers.on_dask import OnDask

            return OnDask(self._order.address, count)
        if self._order.workers is None or count == 1 or missing <= _FEW_PARTS:
            return Here(count if self._order.workers is None else 1, missing)
        return Processes(min(count, missing))

    def _rows(self, part: Part) -> Path:
        """Where the rows of a part are kept."""
        return self._folder / f"{part.name(self._deciding)}.part"

    def _known(self) -> dict[str, Any]:
        """What summary and table say of the version."""
        names = ("repository", "version", "weights_sha256", "framing")
        return {name: getattr(self._asked, name) for name in names}
