"""The report of a sweep: one HTML file that loads nothing from the network."""

import tomllib

from pipelines.report import sweep_charts
from pipelines.report.formats import number
from pipelines.report.render import templates
from pipelines.sweep.swept import Row, Swept

__all__ = ["render_sweep"]

_ORDER = ("complete", "pruned", "running", "failed")


def render_sweep(swept: Swept) -> bytes:
    """The report as it stands; equal input gives equal bytes.

    Args:
        swept: What the sweep has come to, perhaps nothing yet.

    Returns:
        UTF-8 HTML.
    """
    rows = sorted(swept.trials, key=lambda row: _place(row, swept))
    seen = any(row.state in ("complete", "pruned") for row in rows)
    own = next((row for row in rows if row.own), None)
    page = templates().get_template("sweep.html.j2")
    return page.render(
        swept=swept,
        rows=rows,
        keys=[key.split(".", 1)[-1] for key in rows[0].values] if rows else [],
        shown={row.number: [_shown(value) for value in row.values.values()] for row in rows},
        counts={state: sum(row.state == state for row in rows) for state in _ORDER},
        best=swept.best_row,
        own=own,
        history=sweep_charts.history(swept) if seen else None,
        curves=sweep_charts.curves(swept) if seen else None,
        importances=sweep_charts.importances(swept) if swept.importances else None,
        parallel=sweep_charts.parallel(swept) if seen else None,
        slices=sweep_charts.slices(swept) if seen else [],
        failed=[row for row in rows if row.reason],
    ).encode()


def _shown(value: str) -> str:
    """A value in a table: a float with four digits, which tell trials apart; the command has all of them."""
    parsed = tomllib.loads(f"value = {value}")["value"]
    return number(parsed) if isinstance(parsed, float) else value.strip('"')


def _place(row: Row, swept: Swept) -> tuple[int, float, int]:
    value = row.measure(swept.objective)
    signed = 0.0 if value is None else value if swept.objective == "loss" else -value
    return _ORDER.index(row.state), signed, row.number
