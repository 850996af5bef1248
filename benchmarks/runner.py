"""Measure all sides in turns, A B C A B C …, so that if the machine is slow for a while, all are affected alike."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import sleep

import numpy as np
from rich.console import Console

from benchmarks.contender import Contender, Side
from benchmarks.result import Result

_STAT, _WAIT = Path("/proc/stat"), 0.5
_BUSY = 0.1
"""The number of cores that other processes may keep busy before the command warns."""

_IDLE = 0.05
"""The share of a core that a side may use while it waits. Threads spin for a few hundredths of a second before they
sleep; that ends during the next side's unmeasured warm-up."""

KERNELS = "OPENBLAS_CORETYPE"
"""The variable that makes OpenBLAS use the kernels of another processor."""

people = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Peer:
    """A peer to compare with.

    Attributes:
        name: The name shown in results.
        package: The package that has to be installed.
        make: Creates the contender, in its own process.
        also: Further packages that have to be installed.
    """

    name: str
    package: str
    make: Callable[[], Contender]
    also: tuple[str, ...] = ()

    @property
    def version(self) -> str | None:
        """The installed version; None if any of its packages is not installed."""
        try:
            found, *_ = [version(package) for package in (self.package, *self.also)]
        except PackageNotFoundError:
            return None
        return found


def warn_of_what_misleads() -> None:
    """Warn if NumPy cannot use its fastest kernels, or if other processes use the processor."""
    if kernels := os.environ.get(KERNELS):
        people.print(
            f"{KERNELS}={kernels}: NumPy multiplies matrices with those kernels instead of those for this processor; "
            f"to measure without it, begin the command with: env -u {KERNELS}",
            style="red",
        )
    before = _processor_seconds()
    sleep(_WAIT)
    busy = (_processor_seconds() - before) / _WAIT
    if busy > _BUSY:
        people.print(
            f"other processes keep {busy:.1f} cores busy: do not trust the figures, least of all those of sides that "
            "divide a step among two threads",
            style="red",
        )


def warn_of_the_restless(case: str, sides: Mapping[str, Side]) -> None:
    """Warn of every side that used the processor while others were measured."""
    for name, side in sides.items():
        if side.spent > _IDLE * side.waited:
            share = side.spent / side.waited
            people.print(f"{case}: {name} kept {share:.0%} of a core busy while others were measured", style="red")


def _processor_seconds() -> float:
    """Seconds for which all cores together have been busy since boot; 0 on systems other than Linux."""
    if not _STAT.is_file():
        return 0
    user, nice, system, *_ = _STAT.read_text().split()[1:]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")


def compare(
    case: str,
    ours: Callable[[], Contender],
    peers: Sequence[Peer],
    *,
    rounds: int,
    seconds: float,
    tolerance: float,
) -> list[Result]:
    """Measure us and every peer that is installed; one result for each peer, installed or not.

    Args:
        case: The name of the case.
        ours: Creates our contender, which also has the method `gemm_share`.
        peers: The peers to compare with.
        rounds: How often each side is measured.
        seconds: How long each side is measured in each round.
        tolerance: The largest allowed difference between the sides' evidence, relative to our largest number in it.
    """
    present = [peer for peer in peers if peer.version]
    with ExitStack() as stack:
        we = stack.enter_context(Side(ours))
        they = {peer.name: stack.enter_context(Side(peer.make)) for peer in present}
        evidence = we.ask("evidence")
        allowed = tolerance * np.abs(evidence).max()
        agrees = {name: bool(np.abs(side.ask("evidence") - evidence).max() <= allowed) for name, side in they.items()}
        for name in (name for name in agrees if not agrees[name]):
            people.print(f"{case}: {name} computes a different function; do not trust the comparison", style="red")
        gemm_share = we.ask("gemm_share", seconds)
        our_rates: list[float] = []
        their_rates: dict[str, list[float]] = {name: [] for name in they}
        for number in range(1, rounds + 1):
            people.print(f"{case}: round {number} of {rounds}", style="dim")
            our_rates.append(we.ask("pace", seconds))
            for name, side in they.items():
                their_rates[name].append(side.ask("pace", seconds))
    warn_of_the_restless(case, {"numeral": we, **they})
    return [
        Result.of_rates(
            case,
            peer.name,
            our_rates,
            their_rates.get(peer.name),
            agrees=agrees.get(peer.name),
            gemm_share=round(gemm_share, 3),
            version=peer.version,
        )
        for peer in peers
    ]
