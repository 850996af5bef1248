"""`python -m service status`: shows the status of a running server."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from service.cli.scrape import Source, Status, Version, read
from service.telemetry.instruments import TICK_SECONDS

__all__ = ["document", "watch"]

LATE = 120
"""A repository that was last seen more seconds ago is shown in red, as in deploy/prometheus/alerts.yml."""

DRIFTED = 0.25
"""A drift above this is shown in red, see `service.telemetry.drift`."""


def document(status: Status) -> str:
    """The status as one JSON document."""
    shown = asdict(status)
    del shown["_buckets"]
    return json.dumps(shown)


def watch(source: Source, *, once: bool, console: Console) -> Status:
    """Show the status once, or every second until Ctrl-C.

    Returns:
        The latest status.
    """
    status = read(source)
    if once:
        console.print(_picture(status))
        return status
    with Live(_picture(status), console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(TICK_SECONDS)
                status = read(source, status)
                live.update(_picture(status), refresh=True)
        except KeyboardInterrupt:
            return status


def _picture(status: Status) -> Group:
    parts: list[Any] = [Text(f"{status.address}   {time.strftime('%H:%M:%S', time.localtime(status.at))}", "bold")]
    parts += [Text(trouble, "yellow") for trouble in status.troubles]
    if status.requests:
        parts.append(_calls(status))
    if status.totals:
        words = [f"{name.replace('_', ' ')} {count:,}" for name, count in status.totals.items()]
        parts.append(Text(f"in flight {status.in_flight}   queue {status.queue}   " + "   ".join(words)))
    if status.repository:
        parts.append(_repository(**status.repository))
    if status.versions:
        parts.append(_versions(status.versions))
    return Group(*parts)


def _repository(last_look_seconds: int, damaged_entries: int, hanging_reads: int) -> Text:
    """When the repository was last seen, and what is wrong with it."""
    seen = "not seen yet" if last_look_seconds < 0 else f"last seen {last_look_seconds:,} s ago"
    words = f"repository {seen}   damaged entries {damaged_entries}   hanging reads {hanging_reads}"
    late = not 0 <= last_look_seconds <= LATE
    return Text(words, "red" if late or damaged_entries or hanging_reads else "")


def _calls(status: Status) -> Table:
    table = Table("status", title="calls", title_justify="left")
    for column in ("in all", "a second"):
        table.add_column(column, justify="right")
    for code, count in sorted(status.requests.items(), key=lambda item: -item[1]):
        rate = f"{status.rates[code]:,.1f}" if code in status.rates else ""
        table.add_row(code, f"{count:,}", rate, style="" if code == "OK" else "red")
    if status.latency:
        table.caption = "   ".join(f"{name} {seconds * 1e3:.3g} ms" for name, seconds in status.latency.items())
    return table


def _versions(versions: Iterable[Version]) -> Table:
    table = Table("version", "state", title="versions", title_justify="left")
    for column in ("processes", "images", "input drift", "digit drift"):
        table.add_column(column, justify="right")
    table.add_column("reason")
    for one in versions:
        drifts = [
            Text("" if score is None else f"{score:.3f}", "red" if score and score > DRIFTED else "")
            for score in (one.input_drift, one.digit_drift)
        ]
        style = {"READY": "green", "LOADING": "yellow"}.get(one.state, "red")
        table.add_row(one.version, Text(one.state, style), str(one.processes), f"{one.images:,}", *drifts, one.reason)
    return table
