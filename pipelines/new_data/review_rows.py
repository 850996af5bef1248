"""New pictures as a reviewer looks at them: each with what is claimed, what the judge reads, and what became of it."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.errors import ReviewError
from pipelines.new_data.admission import Sifted
from pipelines.new_data.item import NewItem
from pipelines.new_data.judgement import Judgement

SHORTEST_PREFIX = 8
"""Characters of a name that are enough to name a picture, if no other begins with them."""

SHOWN = 12
"""Characters of a name that are shown."""

TRUSTED = "trusted"
"""The status of a picture that is trained on, or held out to be measured."""


@dataclass(frozen=True, eq=False)
class Row:
    """One new picture.

    Attributes:
        item: The picture.
        status: `trusted`, or the reason why it is not.
        words: The same for people.
        held: Whether it waits for a decision.
        judgement: What the judge says; None without a judge.
    """

    item: NewItem
    status: str
    words: str
    held: bool
    judgement: Judgement | None

    @property
    def received(self) -> datetime | None:
        """When a user sent it, UTC; None if unknown."""
        return self.item.received and self.item.received.astimezone(UTC)

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


class Chosen(NamedTuple):
    """The pictures that a command is about.

    Attributes:
        names: To decide about.
        skipped: A sentence about each of the others.
    """

    names: list[str]
    skipped: list[str]


def rows_of(sifted: Sifted) -> list[Row]:
    """All new pictures, in the order of their names."""
    aside = {one.item.name: one for one in sifted.found.left_out}
    rows = []
    for item in sorted(sifted.items, key=lambda item: item.name):
        one, found = aside.get(item.name), sifted.judgements.get(item.name)
        status, words, held = (str(one.reason), one.words, one.reason.held) if one else (TRUSTED, "", False)
        rows.append(Row(item, status, words, held, found))
    return rows


def named(prefixes: Sequence[str], names: Sequence[str], otherwise: Set[str]) -> Chosen:
    """The names that begin with these prefixes, one each.

    A command that names a group is often older than what it finds: it comes from a page. So of several pictures, those
    that are gone and those about which the opposite was decided since are left as they are. A picture that is named
    alone is meant.

    Args:
        prefixes: What the command names.
        names: Of all pictures about which something can be decided.
        otherwise: The names of those about which the opposite is decided.

    Raises:
        ReviewError: A prefix is too short, begins several names, or is the only one and begins none.
    """
    chosen: dict[str, None] = {}
    skipped = []
    for prefix in (given.strip().lower() for given in prefixes):
        name = _named(prefix, names)
        if name is None and len(prefixes) == 1:
            raise ReviewError(
                f"no new picture has a name that begins with {prefix[:64]}; python -m pipelines feedback list --all "
                "lists their names"
            )
        if name is None:
            skipped.append(f"skipped: no new picture has a name that begins with {prefix[:64]} any more")
        elif name in otherwise and len(prefixes) > 1:
            skipped.append(f"skipped: the opposite is decided about {name[:SHOWN]}; name it alone to change that")
        else:
            chosen[name] = None
    return Chosen(list(chosen), skipped)


def _named(prefix: str, names: Sequence[str]) -> str | None:
    """The only name that begins with a prefix; None if none does."""
    if len(prefix) < SHORTEST_PREFIX or set(prefix) - set("0123456789abcdef"):
        raise ReviewError(f"{prefix[:80]!r} names no picture: expected at least {SHORTEST_PREFIX} hexadecimal digits")
    found = [name for name in names if name.startswith(prefix)]
    if len(found) > 1:
        raise ReviewError(f"{prefix} begins the names of {len(found)} pictures; give more of its digits")
    return found[0] if found else None
