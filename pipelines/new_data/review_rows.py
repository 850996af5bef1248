"""New pictures as a reviewer looks at them: each with what is claimed, what the judge reads, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import ReviewError
from pipelines.new_data.admission import Sifted
from pipelines.new_data.item import NewItem
from pipelines.new_data.judgement import Judgement

SHORTEST_PREFIX = 8
"""Characters of a name that are enough to name a picture, if no other begins with them."""

SHOWN = 12
"""Characters of a name that are shown."""

TRUSTED = "trusted"
"""The status of a picture that is trained on."""


@dataclass(frozen=True, eq=False)
class Row:
    """One new picture.

    Attributes:
        item: The picture.
        status: `trusted`, or the reason why it is not trained on.
        words: The same for people.
        held: Whether it waits for a decision.
        judgement: What the judge says; None without a judge.
        received: When a user sent it, UTC; None if unknown.
    """

    item: NewItem
    status: str
    words: str
    held: bool
    judgement: Judgement | None
    received: datetime | None = None

    @property
    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        found = self.judgement
        return {
            "name": self.item.name,
            "digit": self.item.label,
            "read": found.read if found else None,
            "confidence": round(found.confidence, 4) if found else None,
            "claimed": round(found.claimed, 4) if found else None,
            "received": self.received.isoformat() if self.received else None,
            "source": self.item.source,
            "status": self.status,
            "reason": self.words,
        }


def rows_of(sifted: Sifted, received: Mapping[str, datetime]) -> list[Row]:
    """All new pictures, in the order of their names.

    Args:
        sifted: Pictures, judgements and what became of them.
        received: When users sent them, by name, as far as it is known.
    """
    aside = {one.item.name: one for one in sifted.found.left_out}
    rows = []
    for item in sorted(sifted.items, key=lambda item: item.name):
        one, found = aside.get(item.name), sifted.judgements.get(item.name)
        status, words, held = (str(one.reason), one.words, one.reason.held) if one else (TRUSTED, "", False)
        when = received.get(item.name)
        rows.append(Row(item, status, words, held, found, when and when.astimezone(UTC)))
    return rows


def named(prefixes: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that begin with these prefixes, one each.

    Raises:
        ReviewError: A prefix is too short, begins no name, or begins several.
    """
    return [_named(prefix.strip().lower(), names) for prefix in prefixes]


def _named(prefix: str, names: Sequence[str]) -> str:
    if len(prefix) < SHORTEST_PREFIX or set(prefix) - set("0123456789abcdef"):
        raise ReviewError(f"{prefix[:80]!r} names no picture: expected at least {SHORTEST_PREFIX} hexadecimal digits")
    found = [name for name in names if name.startswith(prefix)]
    if not found:
        raise ReviewError(
            f"no new picture has a name that begins with {prefix[:64]}; python -m pipelines feedback list --all "
            "lists their names"
        )
    if len(found) > 1:
        raise ReviewError(f"{prefix} begins the names of {len(found)} pictures; give more of its digits")
    return found[0]
