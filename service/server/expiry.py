"""Certificates that are about to end: logged 30, 7 and 1 days before, and when they have ended, once each."""

import logging
from datetime import datetime, timedelta

from service.telemetry.once import Once

__all__ = ["MILESTONES", "Expiry"]

MILESTONES = tuple(timedelta(days=days) for days in (30, 7, 1, 0))
"""How long before the end of a certificate there is a line in the log."""

_log = logging.getLogger(__name__)


class Expiry:
    """Remembers what was logged about the end of certificates."""

    def __init__(self) -> None:
        """Nothing was logged yet."""
        self._once = Once(_log)

    def look(self, name: str, begins: datetime, ends: datetime, now: datetime) -> None:
        """Log how long a certificate still holds, if that is little and was not logged yet.

        Half of its life is not little: for a certificate of two weeks, only the last day is.

        Args:
            name: What it is and its file, for the log.
            begins: When its life began.
            ends: When its life ends.
            now: The time, with its zone as the others.
        """
        left = ends - now
        reached = [each for each in MILESTONES if left <= each and 2 * each < ends - begins]
        if not reached:
            return
        milestone = min(reached)
        when = f"{ends:%Y-%m-%d %H:%M:%S} UTC"
        if milestone:
            level = logging.WARNING
            soon = "a day" if milestone.days == 1 else f"{milestone.days} days"
            sentence = f"{name} ends on {when}, in less than {soon}; renew it"
        else:
            level = logging.ERROR
            sentence = f"{name} has expired, on {when}: new connections that rely on it fail; renew it"
        self._once.say(f"{name} {when} {milestone}", level, sentence)
