"""Findings that are logged once, however often they are made."""

import logging

__all__ = ["Once"]


class Once:
    """Logs the first finding on each topic; the next one on the same topic only after it was resolved."""

    def __init__(self, log: logging.Logger) -> None:
        """No finding was made yet.

        Args:
            log: Where findings are logged.
        """
        self._log = log
        self._unresolved: set[str] = set()

    def say(self, topic: str, level: int, sentence: str, exc_info: BaseException | None = None) -> bool:
        """Log a finding, unless an earlier one on the same topic is unresolved.

        Returns:
            Whether it was logged.
        """
        fresh = topic not in self._unresolved
        if fresh:
            self._unresolved.add(topic)
            self._log.log(level, "%s", sentence, exc_info=exc_info)
        return fresh

    def resolved(self, topic: str) -> bool:
        """Take note that a topic is resolved.

        Returns:
            Whether there was an unresolved finding on it.
        """
        stood = topic in self._unresolved
        self._unresolved.discard(topic)
        return stood

    def all_resolved(self) -> None:
        """Take note that every topic is resolved."""
        self._unresolved.clear()
