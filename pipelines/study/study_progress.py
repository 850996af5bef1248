"""`StudyProgress`: how many variants are done; a bar in a terminal, a line for each elsewhere."""

from pipelines.progress import Bar
from pipelines.report.formats import percent
from pipelines.study.conduct import Row
from pipelines.voice import say

__all__ = ["StudyProgress", "in_words"]


class StudyProgress(Bar):
    """Shows each variant as soon as it is known."""

    def __init__(self, count: int) -> None:
        """Show nothing yet.

        Args:
            count: How many variants there are.
        """
        super().__init__("study", "variants", count, elapsed=True)
        self._count = count

    def tell(self, row: Row, done: int) -> None:
        """Show a variant that is known now.

        Args:
            row: What came of it.
            done: How many are known.
        """
        words = f"{row.variant.name}: {in_words(row)}"
        if self.live:
            self.show(done, words)
        else:
            again = " (trained by an earlier study)" if row.reused else ""
            say(f"  {done:>{len(str(self._count))}}/{self._count}  {words}{again}")


def in_words(row: Row) -> str:
    """The outcome in a few words: the accuracy, and what is wrong."""
    outcome = row.outcome
    accuracy = [] if outcome.accuracy is None else [f"validation {percent(outcome.accuracy)}"]
    return ", ".join([*accuracy, *(finding.name for finding in outcome.findings)])
