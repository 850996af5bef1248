"""The rows of a part as bytes, in the format of the table, so that workers do the formatting too."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, Self

from core.digit import LABELS
from core.errors import ConfigError
from pipelines.score.picture_table import needs_pyarrow

__all__ = ["COLUMNS", "Format", "Fragment", "Row", "Tally", "arrow_schema"]


class Row(NamedTuple):
    """What is said of one item.

    Attributes:
        source: The input that it is from: a file, or what the command line named.
        item: Its number within a file of IDX or Parquet, or the path of a picture.
        digit: What it is read as; None if it is not.
        probability: The digit's, 0 to 1, to six decimal places; None without a digit.
        digitness: The probability that the image shows a digit at all, likewise; None in a version that cannot tell,
            and without an image.
        reason: Why there is no digit, in words; None if there is one.
        version: The version that was asked.
    """

    source: str
    item: str
    digit: int | None
    probability: float | None
    digitness: float | None
    reason: str | None
    version: int


COLUMNS = Row._fields


class Format(Enum):
    """The format of the table, by the end of its name."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @classmethod
    def of(cls, table: Path) -> Self:
        """The format that a file's name asks for.

        Raises:
            ConfigError: It asks for none of them; or for Parquet, for which pyarrow is not installed.
        """
        try:
            found = cls(table.suffix[1:].lower())
        except ValueError:
            raise ConfigError(f"--output {table}: expected a name that ends in .csv, .jsonl or .parquet") from None
        if found.value == "parquet":
            arrow_schema()
        return found

    def encode(self, rows: list[Row]) -> bytes:
        """Rows in this format: lines, or a whole small Parquet table."""
        if self is Format.PARQUET:
            return _as_parquet(rows)
        if self is Format.CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            return text.getvalue().encode()
        dumps = json.JSONEncoder(ensure_ascii=False).encode
        return "".join(dumps(row._asdict()) + "\n" for row in rows).encode()


@dataclass
class Tally:
    """How many items came to what.

    Attributes:
        read: Those with a digit.
        rejected: Pictures that show no digit, or several.
        unreadable: Those that are no picture.
        by_digit: How many were read as 0, 1, ….
    """

    read: int = 0
    rejected: int = 0
    unreadable: int = 0
    by_digit: list[int] = field(default_factory=lambda: [0] * len(LABELS))

    @classmethod
    def of(cls, rows: list[Row], unreadable: int) -> Self:
        """Count rows, of which as many are of items that are no picture."""
        digits = Counter(row.digit for row in rows)
        refused = digits.pop(None, 0)
        return cls(
            len(rows) - refused, refused - unreadable, unreadable, [digits[digit] for digit in range(len(LABELS))]
        )

    def add(self, other: "Tally") -> None:
        """Count those of another one, too."""
        self.read += other.read
        self.rejected += other.rejected
        self.unreadable += other.unreadable
        self.by_digit = [a + b for a, b in zip(self.by_digit, other.by_digit, strict=True)]

    @property
    def items(self) -> int:
        """All of them."""
        return self.read + self.rejected + self.unreadable


@dataclass(frozen=True)
class Fragment:
    """The rows of a part, as a worker sends them and as they are kept.

    Attributes:
        tally: What they say, counted.
        rows: In the format of the table.
        seconds: How long it took; this is not kept.
    """

    tally: Tally
    rows: bytes
    seconds: float = 0.0

    def encode(self) -> bytes:
        """A line of JSON with the counts, then the rows."""
        return json.dumps(vars(self.tally)).encode() + b"\n" + self.rows

    @classmethod
    def read(cls, path: Path) -> Self:
        """The inverse of `encode`, from a file."""
        head, _, rows = path.read_bytes().partition(b"\n")
        return cls(Tally(**json.loads(head)), rows)


def arrow_schema() -> Any:
    """The columns of a Parquet table.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise needs_pyarrow("--output: writing Parquet") from error
    kinds = (pa.string(), pa.string(), pa.int8(), pa.float32(), pa.float32(), pa.string(), pa.int32())
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def _as_parquet(rows: list[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    schema = arrow_schema()
    columns: Iterator[Any] = zip(*rows, strict=True)
    table = pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)], schema)
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()
