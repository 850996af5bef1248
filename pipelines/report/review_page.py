"""The page on which a person decides about new pictures: one HTML file that loads nothing from the network."""

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.new_data.review_rows import SHOWN, TRUSTED, Row
from pipelines.new_data.trust import Reason
from pipelines.report import pictures
from pipelines.report.render import templates

MOST_SHOWN = 2000
"""Pictures on a page, at about 2 kB each: more would be looked at by nobody."""

_ORDER = (*Reason, TRUSTED)
"""Of the sections: what waits for a decision comes first."""


@dataclass(frozen=True)
class _Card:
    """One picture on the page."""

    name: str
    picture: str
    digit: int
    read: int | None
    confidence: float | None
    received: str
    source: str
    accept: str
    reject: str


@dataclass(frozen=True)
class _Group:
    """Pictures of one status that are said to show one digit, and are read as one digit."""

    digit: int
    read: int | None
    cards: tuple[_Card, ...]
    accept: str
    reject: str


def render_review(rows: Sequence[Row], judge: str | None, flags: Sequence[str] = ()) -> bytes:
    """The page for these pictures, grouped by their status, by the digit claimed and by the digit read.

    Args:
        rows: The pictures; beyond `MOST_SHOWN`, those after the first are counted and not shown.
        judge: What judged them; None if nothing did.
        flags: What a command needs in order to find the same pictures, such as `--data-dir`.

    Returns:
        UTF-8 HTML.
    """
    shown = sorted(rows, key=_most_doubtful_first)[:MOST_SHOWN]
    statuses: defaultdict[str, defaultdict[tuple[int, int | None], list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in shown:
        statuses[row.status][row.item.label, row.judgement.read if row.judgement else None].append(row)
    sections = [
        (status, [_group(*pair, members, flags) for pair, members in sorted(groups.items(), key=_largest_first)])
        for status, groups in sorted(statuses.items(), key=lambda entry: _ORDER.index(entry[0]))
    ]
    reasons = {row.words for row in shown if row.status == "source"}
    page = templates().get_template("review.html.j2")
    return page.render(
        sections=sections,
        counts={status: sum(row.status == status for row in rows) for status in statuses},
        count=len(rows),
        shown=len(shown),
        judge=judge,
        several_sources=len({row.item.source for row in shown}) > 1,
        reasons=sorted(reasons),
    ).encode()


def _group(digit: int, read: int | None, rows: Sequence[Row], flags: Sequence[str]) -> _Group:
    names = [row.item.name[:SHOWN] for row in rows]
    cards = tuple(_card(row, flags) for row in rows)
    return _Group(digit, read, cards, _command("accept", names, flags), _command("reject", names, flags))


def _card(row: Row, flags: Sequence[str]) -> _Card:
    name, found = row.item.name[:SHOWN], row.judgement
    return _Card(
        name=name,
        picture=pictures.digit(row.item.image),
        digit=row.item.label,
        read=found.read if found else None,
        confidence=found.confidence if found else None,
        received=row.received.strftime("%Y-%m-%d %H:%M %Z") if row.received else "",
        source=row.item.source,
        accept=_command("accept", [name], flags),
        reject=_command("reject", [name], flags),
    )


def _command(action: str, names: Sequence[str], flags: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "pipelines", "feedback", action, *names, *flags])


def _most_doubtful_first(row: Row) -> tuple[float, str]:
    return (row.judgement.claimed if row.judgement else 0.0, row.item.name)


def _largest_first(entry: tuple[tuple[int, int | None], list[Row]]) -> tuple[int, int, int]:
    (digit, read), members = entry
    return -len(members), digit, -1 if read is None else read
