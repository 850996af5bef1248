"""Each part of a step with each set of kernels, on one and two threads, measured in turns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.cases import CORES, TRAINING, chosen
from benchmarks.dense.step_parts import Part
from benchmarks.runner import KERNELS, people
from core.errors import ConfigError

__all__ = ["Row", "measure", "write"]


@dataclass(frozen=True)
class Row:
    """One part of a step.

    Attributes:
        case: The network and its batch size.
        threads: BLAS threads.
        kernels: As OPENBLAS_CORETYPE names them; "default" for those that OpenBLAS chooses.
        part: Which calls.
        microseconds: In a step, median over the rounds.
        gflops: Billions of operations a second, likewise; None for what is no matrix product.
    """

    case: str
    threads: int
    kernels: str
    part: str
    microseconds: float
    gflops: float | None


def measure(pattern: str, kernels: Sequence[str], rounds: int, seconds: float) -> Iterator[Row]:
    """All cases of dense layers that match a pattern.

    Args:
        pattern: A pattern for the names of cases.
        kernels: What to set OPENBLAS_CORETYPE to; "default" leaves it unset.
        rounds: How often each is measured.
        seconds: How long each time.

    Raises:
        ConfigError: No case matches.
    """
    for case in chosen([case for case in TRAINING if len(case.input_shape) == 1], pattern):
        found: dict[tuple[int, str], list[list[Part]]] = {}
        for number in range(1, rounds + 1):
            people.print(f"{case.name}: round {number} of {rounds}", style="dim")
            for threads in range(1, CORES + 1):
                for kernel in kernels:
                    found.setdefault((threads, kernel), []).append(_parts(case.name, threads, kernel, seconds))
        for (threads, kernel), runs in found.items():
            for same in zip(*runs, strict=True):
                rates = [part.gflops for part in same if part.gflops is not None]
                yield Row(
                    case.name,
                    threads,
                    kernel,
                    same[0].name,
                    round(median(part.microseconds for part in same), 1),
                    round(median(rates), 1) if rates else None,
                )


def write(rows: Sequence[Row]) -> None:
    """A table for people: a line for each part, a column for each set of kernels and number of threads."""
    columns = list(dict.fromkeys((row.kernels, row.threads) for row in rows))
    table = Table("case", "part", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for kernels, threads in columns:
        table.add_column(f"{kernels}, {threads} thread{'s' if threads > 1 else ''}", justify="right")
    cells = {(row.case, row.part, row.kernels, row.threads): row for row in rows}
    for case, part in dict.fromkeys((row.case, row.part) for row in rows):
        table.add_row(case, part, *(_cell(cells.get((case, part, *column))) for column in columns))
    for case in dict.fromkeys(row.case for row in rows):
        sums = dict.fromkeys(columns, 0.0)
        for row in rows:
            sums[row.kernels, row.threads] += row.microseconds if row.case == case else 0
        table.add_row(case, "whole step", *(f"{total:,.0f} µs" for total in sums.values()))
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    rate = "" if row.gflops is None else f" ({row.gflops:.0f} GFLOP/s)"
    return f"{row.microseconds:,.1f} µs{rate}"


def _parts(case: str, threads: int, kernels: str, seconds: float) -> list[Part]:
    """Measured in a process of its own, since OpenBLAS chooses its kernels when it is loaded."""
    environment = {name: value for name, value in os.environ.items() if name != KERNELS}
    if kernels != "default":
        environment[KERNELS] = kernels
    command = [sys.executable, "-m", "benchmarks.dense.step_parts", case, str(threads), str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or f"it ended with status {done.returncode}").splitlines()[-1]
        raise ConfigError(f"{case} with the kernels {kernels}: {last}; can this processor run them?")
    return [Part(**part) for part in json.loads(done.stdout)]
