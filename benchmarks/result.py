"""Benchmark results, as JSON or as a table."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

NO_LIBRARIES = ("limit", "no limit")
"""What our figure is compared with where there is no other software to compare it with."""


@dataclass(frozen=True)
class Result:
    """Our side and one peer in one case.

    Attributes:
        case: What was measured.
        peer: The peer that we are compared with.
        ours: Our figure, the median over all rounds.
        theirs: The peer's figure; None if it is not installed, as is every attribute that depends on it.
        unit: The unit of both figures.
        ratio: How many times better we are; below 1, the peer is better.
        low: The smallest ratio of a single round.
        high: The largest ratio of a single round.
        agrees: Whether both computed the same numbers, up to rounding.
        gemm_share: The share of our time, 0 to 1, that is spent in matrix products.
        version: The peer's version.
    """

    case: str
    peer: str
    ours: float
    theirs: float | None
    unit: str
    ratio: float | None
    low: float | None = None
    high: float | None = None
    agrees: bool | None = None
    gemm_share: float | None = None
    version: str | None = None

    @classmethod
    def of_rates(
        cls, case: str, peer: str, ours: Sequence[float], theirs: Sequence[float] | None, **known: Any
    ) -> Self:
        """From the images per second of each round; `theirs` is None for a peer that is not installed."""
        if not theirs:
            return cls(case, peer, round(median(ours)), None, "images/s", None, **known)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        return cls(
            case,
            peer,
            ours=round(median(ours)),
            theirs=round(median(theirs)),
            unit="images/s",
            ratio=round(median(ours) / median(theirs), 3),
            low=round(min(ratios), 3),
            high=round(max(ratios), 3),
            **known,
        )


def write(results: Sequence[Result], *, as_json: bool) -> None:
    """Write one JSON document, or a table, to standard output."""
    if as_json:
        json.dump([asdict(result) for result in results], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("case", "peer", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("ours", "theirs", "unit", "ratio (low – high)", "agrees", "GEMM"):
        table.add_column(heading, justify="right", no_wrap=True)
    for r in results:
        table.add_row(
            r.case,
            f"{r.peer} {r.version or ''}",
            f"{r.ours:,}",
            f"{r.theirs:,}" if r.theirs is not None else "" if r.peer in NO_LIBRARIES else "not installed",
            r.unit,
            _ratio(r),
            "" if r.agrees is None else "yes" if r.agrees else "NO",
            "" if r.gemm_share is None else f"{r.gemm_share:.0%}",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _ratio(r: Result) -> str:
    if r.ratio is None:
        return ""
    return f"{r.ratio:.2f}" if r.low is None else f"{r.ratio:.2f} ({r.low:.2f} – {r.high:.2f})"
