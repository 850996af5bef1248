"""The confusion matrix and the mistakes, which a version's report alone holds, taken out of that page.

Nothing of the report's HTML gets into a page of ours: only numbers, and pictures that are known to be PNG of 28 × 28.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Mistake", "ReportParts", "report_parts"]

LARGEST_REPORT = 8 * 1024 * 1024
"""Bytes of a report that is looked into. One has a quarter of a megabyte."""

MOST_MISTAKES = 100

_LARGEST_PICTURE = 8 * 1024
_PNG = "data:image/png;base64,"
_ALT = re.compile(r"Test image (\d{1,9}): a handwritten (\d), read as (\d)", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Mistake:
    """A test image that was read wrong.

    Attributes:
        picture: A data URI.
        index: Which of the test images.
        label: The digit that it shows.
        read: The digit that was read.
    """

    picture: str
    index: int
    label: int
    read: int


@dataclass(frozen=True)
class ReportParts:
    """What was found in a report.

    Attributes:
        confusion: Ten rows, one for each true digit, of ten counts, one for each digit read; empty if it was not found.
        mistakes: The most confident ones.
    """

    confusion: list[list[int]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def heat(self, row: int, column: int) -> int:
        """How dark a cell is, 0 to 9, by its count in relation to the largest off the diagonal."""
        if row == column:
            return 0
        largest = max(self.confusion[i][j] for i in range(10) for j in range(10) if i != j)
        count = self.confusion[row][column]
        return min(9, max(1, round(9 * count / largest))) if count else 0


def report_parts(report: bytes) -> ReportParts:
    """Look into a report; what it does not hold, or not as expected, is left out."""
    if len(report) > LARGEST_REPORT:
        return ReportParts()
    reader = _Reader()
    try:
        reader.feed(report.decode("utf-8", "replace"))
        reader.close()
    except (AssertionError, ValueError, RecursionError):  # the parser gives up on some malformed declarations
        return ReportParts(_square(reader.rows), reader.mistakes)
    return ReportParts(_square(reader.rows), reader.mistakes)


def _square(rows: list[list[int]]) -> list[list[int]]:
    return rows if len(rows) == 10 and all(len(row) == 10 for row in rows) else []


class _Reader(HTMLParser):
    """Collects the cells of the first table of the class `confusion`, and the pictures whose text names a mistake."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[int]] = []
        self.mistakes: list[Mistake] = []
        self._in_table, self._in_cell, self._tables = False, False, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "table" and "confusion" in found.get("class", "").split():
            self._tables += 1
            self._in_table = self._tables == 1
        elif tag == "tr" and self._in_table:
            self.rows.append([])
        elif tag == "td" and self._in_table:
            self._in_cell = "share" not in found.get("class", "").split()
        elif tag == "img" and len(self.mistakes) < MOST_MISTAKES:
            self._picture(found.get("src", ""), found.get("alt", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._in_cell = False
        elif tag == "table" and self._in_table:
            self._in_table = False
            self.rows = [row for row in self.rows if row]  # the head has no cells

    def handle_data(self, data: str) -> None:
        if self._in_table and self._in_cell and self.rows and len(self.rows) <= 20 and _COUNT.fullmatch(data.strip()):
            self.rows[-1].append(int(data))

    def _picture(self, source: str, words: str) -> None:
        match = _ALT.fullmatch(words)
        if match and _is_digit_picture(source):
            index, label, read = map(int, match.groups())
            self.mistakes.append(Mistake(source, index, label, read))


def _is_digit_picture(source: str) -> bool:
    """Whether it is a data URI of a PNG of 28 × 28, by what its first bytes say."""
    if not source.startswith(_PNG) or len(source) > _LARGEST_PICTURE:
        return False
    try:
        data = base64.b64decode(source.removeprefix(_PNG), validate=True)
    except (binascii.Error, ValueError):
        return False
    return data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:24] == b"IHDR" + (28).to_bytes(4) * 2
