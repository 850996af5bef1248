"""Numbers, shares and times, as readers of each language write them."""

import re
from datetime import UTC, datetime
from math import isfinite

__all__ = ["UNKNOWN", "Spelling"]

_PATH = re.compile(r"\S*/[0-9a-f]{64}\.json: ")

UNKNOWN = "–"
"""What stands for a number that is not known, or is no number."""

_GERMAN = str.maketrans(",.", ".,")


class Spelling:
    """Writes numbers in one language."""

    def __init__(self, lang: str) -> None:
        """Choose the language: `de`, or any other for English."""
        self._german = lang == "de"

    def percent(self, share: float | None, digits: int = 2) -> str:
        """0.98 → 98.00%, in German 98,00 %."""
        if share is None or not isfinite(share):
            return UNKNOWN
        return self._written(f"{share * 100:.{digits}f}") + ("\N{NO-BREAK SPACE}%" if self._german else "%")

    def tick_percent(self, share: float) -> str:
        """A round share, with the digits that it needs: 0.985 → 98.5%."""
        text = f"{share * 100:.3f}".rstrip("0").rstrip(".")
        return self._written(text) + ("\N{NO-BREAK SPACE}%" if self._german else "%")

    def number(self, value: float | None, digits: int = 4) -> str:
        """0.071234567 → 0.07123, with this many significant digits."""
        if value is None or not isfinite(value):
            return UNKNOWN
        return self._written(f"{value:.{digits}g}")

    def count(self, value: int | None) -> str:
        """172426 → 172,426, in German 172.426."""
        return UNKNOWN if value is None else self._written(f"{value:,}")

    def moment(self, at: datetime | None) -> str:
        """To the minute, in UTC, in the order that sorts: 2026-11-29 23:41."""
        return UNKNOWN if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")

    def _written(self, text: str) -> str:
        return text.translate(_GERMAN) if self._german else text

    @staticmethod
    def sentence(text: str) -> str:
        """What the service says, beginning as a sentence does on a page, without the path of the file it is about."""
        text = _PATH.sub("", text)
        return text[:1].upper() + text[1:]
