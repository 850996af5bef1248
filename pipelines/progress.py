"""The progress of a job: a live bar in a terminal. Elsewhere there is none, and lines stand in for it."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from core.train.report import EpochReport
from pipelines.voice import CONSOLE, say

__all__ = ["Bar", "TrainingProgress"]


class Bar:
    """How much is done of what there is to do, while the block lasts. Messages appear above it.

    Attributes:
        live: Whether it is shown: only in a terminal. Where it is not, showing something is a no-op.
    """

    def __init__(self, what: str, unit: str, total: int | None = None, *, done: int = 0, elapsed: bool = False) -> None:
        """Show nothing yet.

        Args:
            what: What is going on, such as "training".
            unit: What is counted, such as "epochs".
            total: How many there are; None shows no bar until `show` says so.
            done: How many of them are done already.
            elapsed: Whether it ends with the time that has gone by, rather than with an estimate of what is left.
        """
        self.live = CONSOLE.is_terminal
        self._progress = Progress(
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]} · {task.description} ·"),
            TimeElapsedColumn() if elapsed else TimeRemainingColumn(),
            console=CONSOLE,  # that of messages: with another one, these would break the bar
            transient=True,
            disable=not self.live,
        )
        self._task = self._progress.add_task("", total=total, completed=done, unit=unit, visible=total is not None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def show(self, done: int, words: str, *, total: int | None = None, unit: str | None = None) -> None:
        """Show how far it is.

        Args:
            done: How many are done.
            words: What to say beside it.
            total: How many there are, if that has changed.
            unit: What is counted, likewise.
        """
        if unit is not None:
            self._progress.update(self._task, unit=unit)
        self._progress.update(self._task, completed=done, description=words, total=total, visible=True)

    def stop(self) -> None:
        """Take the bar away before the block ends, such as for another one."""
        self._progress.stop()


class TrainingProgress(Bar):
    """Shows each epoch: as a live progress bar in a terminal, elsewhere as one line."""

    def __init__(self) -> None:
        super().__init__("training", "epochs")

    def tell(self, report: EpochReport) -> None:
        """Show one epoch's report."""
        if self.live:
            words = f"loss {report.train_loss:.4f} · validation {report.validation_accuracy:.2%}"
            self.show(report.epoch, words, total=report.epochs)
        else:
            say(
                f"  epoch {report.epoch:>{len(str(report.epochs))}}/{report.epochs}  loss {report.train_loss:.4f}  "
                f"validation {report.validation_accuracy:.2%}  {report.images_per_second:,.0f} images/s"
            )
