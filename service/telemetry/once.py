"""Findings that are logged once, however often they are made."""

import logging

__all__ = ["Once"]


class Once:
    """Logs the first finding on a topic; others follow only once it has been put right."""

    def __init__(self, log: logging.Logger) -> None:
        """Nothing is said yet.

        Args:
            log: Where findings go.
        """
        self._log = log
        self._said: set[str] = set()

    def say(self, topic: str, level: int, sentence: str, exc_info: BaseException | None = None) -> bool:
        """Log a finding, unless one on the same topic stands; tells whether it did."""
        fresh = topic not in self._said
        if fresh:
            self._said.add(topic)
            self._log.log(level, "%s", sentence, exc_info=exc_info)
        return fresh

    def right(self, topic: str) -> bool:
        """What a topic is about was put right; tells whether there was a finding."""
        stood = topic in self._said
        self._said.discard(topic)
        return stood

    def all_right(self) -> None:
        """Everything was put right."""
        self._said.clear()
