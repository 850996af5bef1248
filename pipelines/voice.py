"""Messages for people while a pipeline runs: plain sentences on standard error."""

import logging

from rich.console import Console

LOGGER = logging.getLogger("numeral.pipelines")
"""Prefect's pages show this logger's messages as well: see `pipelines.engine`."""

CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)
"""Of messages, and of the bars that stand below them."""


class _ConsoleHandler(logging.Handler):
    """Prints through rich, which keeps messages and a progress bar apart."""

    def emit(self, record: logging.LogRecord) -> None:
        CONSOLE.print(self.format(record), markup=False)


def prepare() -> None:
    """Print the messages of `LOGGER` on standard error. A second call is a no-op."""
    if not any(isinstance(handler, _ConsoleHandler) for handler in LOGGER.handlers):
        LOGGER.addHandler(_ConsoleHandler())
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False


def say(sentence: str) -> None:
    """Give one message."""
    LOGGER.info(sentence)
