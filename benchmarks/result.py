"""What a benchmark finds, as JSON and as a table for people."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """We and one peer in one case.

    Attributes:
        case: What was measured.
        peer: Whom we are compared with.
        ours: Our figure, the median of all rounds.
        theirs: The peer's; None where it is not installed, and then so is what follows from it.
        unit: Of both.
        ratio: How many times better we are: above 1 we are, below 1 the peer is.
        low: The smallest ratio of any round.
        high: The largest.
        agrees: Whether both computed the same numbers, up to rounding.
        gemm_share: The share of our time, 0 to 1, that goes into matrix products.
        version: The peer's.
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
        """From images a second, round by round; `theirs` is None for a peer that is not installed."""
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
    """To standard output: one JSON document, or a table."""
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
            "not installed" if r.theirs is None else f"{r.theirs:,}",
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
