"""The verdicts on attacks, one line each: as a table, or as one JSON document."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from rich.console import Console

from benchmarks.attacks.attack import Figure, Verdict
from benchmarks.result import Result
from benchmarks.runner import people

__all__ = ["write"]


def write(verdicts: Iterable[Verdict], *, as_json: bool) -> bool:
    """Write verdicts to standard output, as they come, or as JSON in the end, with the fields of other benchmarks.

    Returns:
        Whether the service held in all of them.
    """
    done = []
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    for verdict in verdicts:
        done.append(verdict)
        line = f"{'held' if verdict.held else 'bent'}  {verdict.name}: {_words(verdict)}"
        (people if as_json else console).print(line, style=None if verdict.held else "red", markup=False)
    if as_json:
        json.dump([_row(verdict) for verdict in done], sys.stdout, indent=2)
        sys.stdout.write("\n")
    return all(verdict.held for verdict in done)


def _words(verdict: Verdict) -> str:
    return verdict.trouble or "; ".join(map(str, verdict.figures))


def _row(verdict: Verdict) -> dict[str, object]:
    """A result whose figure is the first that is beyond its limit, or else the first; and all figures beside it."""
    shown = next((figure for figure in verdict.figures if not figure.held), *verdict.figures[:1] or [_NONE])
    ratio = round(shown.limit / shown.found, 2) if shown.found and shown.limit else None
    result = Result(f"{verdict.name}: {shown.what}", "limit", shown.found, shown.limit, shown.unit, ratio)
    figures = [asdict(figure) | {"held": figure.held} for figure in verdict.figures]
    return asdict(result) | {
        "attack": verdict.name,
        "what": verdict.what,
        "held": verdict.held,
        "figures": figures,
        "trouble": verdict.trouble,
    }


_NONE = Figure("it could not be carried out", 1, 0, "attacks")
