"""Messages for people while a pipeline runs: plain sentences on standard error, and the progress of training."""

import logging
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from core.train.report import EpochReport

LOGGER = logging.getLogger("numeral.pipelines")
"""Prefect's pages show this logger's messages as well: see `pipelines.engine`."""

_CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)


class _ConsoleHandler(logging.Handler):
    """Prints through rich, which keeps messages and a progress bar apart."""

    def emit(self, record: logging.LogRecord) -> None:
        _CONSOLE.print(self.format(record), markup=False)


def prepare() -> None:
    """Print the messages of `LOGGER` on standard error. A second call is a no-op."""
    if not any(isinstance(handler, _ConsoleHandler) for handler in LOGGER.handlers):
        LOGGER.addHandler(_ConsoleHandler())
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False


def say(sentence: str) -> None:
    """Give one message."""
    LOGGER.info(sentence)


class TrainingProgress:
    """Shows each epoch: as a live progress bar in a terminal, elsewhere as one line."""

    def __init__(self) -> None:
        self._live = _CONSOLE.is_terminal
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("epochs · {task.description} ·"),
            TimeRemainingColumn(),
            console=_CONSOLE,
            transient=True,
            disable=not self._live,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, report: EpochReport) -> None:
        """Show one epoch's report."""
        if self._live:
            if self._task is None:
                self._task = self._bar.add_task("", total=report.epochs)
            description = f"loss {report.train_loss:.4f} · validation {report.validation_accuracy:.2%}"
            self._bar.update(self._task, completed=report.epoch, description=description)
        else:
            say(
                f"  epoch {report.epoch:>{len(str(report.epochs))}}/{report.epochs}  loss {report.train_loss:.4f}  "
                f"validation {report.validation_accuracy:.2%}  {report.images_per_second:,.0f} images/s"
            )
