"""What came of a scoring."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from pipelines.score.fragment import Tally

__all__ = ["Scored"]


class Scored(BaseModel):
    """The summary that the command prints.

    Attributes:
        output: The table.
        repository: Where the version is.
        version: The version that read.
        weights_sha256: The digest of its weights.
        framing: The framing that it was published with.
        items: How many rows there are.
        read: Those with a digit.
        rejected: Those that show no digit, or several.
        unreadable: Those that are no picture.
        by_digit: How many were read as each digit, by digit.
        parts: How many parts the items were divided into.
        kept_parts: Those of them that an earlier run had done.
        seconds: How long this run took, from the first look at the inputs to the complete table.
        starting_seconds: How much of that passed until the first part was begun: inputs were found, processes started.
        images_per_second: Items that this run has looked at, by all of its seconds.
        runner: Who did the parts: here (this process), local (processes of this machine), or dask.
        workers: How many of them.
    """

    model_config = ConfigDict(frozen=True)

    output: str
    repository: str
    version: int
    weights_sha256: str
    framing: int
    items: int
    read: int
    rejected: int
    unreadable: int
    by_digit: dict[str, int]
    parts: int
    kept_parts: int
    seconds: float
    starting_seconds: float
    images_per_second: float
    runner: str
    workers: int

    @property
    def sentence(self) -> str:
        """The same for people."""
        kept = f"; {self.kept_parts:,} of {self.parts:,} parts were kept from an earlier run" if self.kept_parts else ""
        return (
            f"{self.output}: {self.items:,} rows by version {self.version}: {self.read:,} read, {self.rejected:,} "
            f"rejected, {self.unreadable:,} unreadable, in {self.seconds:,.1f} s "
            f"({self.images_per_second:,.0f} images/s){kept}"
        )


def counts_of(tally: Tally) -> dict[str, Any]:
    """The fields of `Scored` that are counts."""
    by_digit = {str(digit): count for digit, count in enumerate(tally.by_digit)}
    return {
        "items": tally.items,
        "read": tally.read,
        "rejected": tally.rejected,
        "unreadable": tally.unreadable,
        "by_digit": by_digit,
    }
