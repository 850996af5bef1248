"""`Timetable`: at which times to retrain."""

from dataclasses import dataclass
from datetime import timedelta

from core.errors import ConfigError
from pipelines.schedule.cron import parse_cron, parse_zone
from pipelines.schedule.duration import in_words, parse_duration

__all__ = ["Timetable"]

_SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True)
class Timetable:
    """When to retrain. With neither cron nor interval there are no fixed times: only reasons start a run.

    Attributes:
        cron: Five fields, read in `zone`; "" if there is an interval, or nothing.
        interval: The time between two runs, in real hours, whatever clocks show; None likewise.
        zone: The time zone of `cron`, and the one in which times are shown.
    """

    cron: str = ""
    interval: timedelta | None = None
    zone: str = "UTC"

    @classmethod
    def parse(cls, cron: str | None, interval: str | None, zone: str) -> "Timetable":
        """Read the options of the command line.

        Raises:
            ConfigError: One of them is wrong, or there are two timetables.
        """
        if cron is not None and interval is not None:
            raise ConfigError("--cron and --interval are two timetables; give one of them")
        return cls(
            cron="" if cron is None else parse_cron(cron),
            interval=None if interval is None else parse_duration(interval, "--interval", least=_SHORTEST),
            zone=parse_zone(zone),
        )

    def __bool__(self) -> bool:
        """Whether there are fixed times."""
        return bool(self.cron or self.interval)

    def __str__(self) -> str:
        """In words; "" if there are no fixed times."""
        if self.interval is not None:
            return f"every {in_words(self.interval)}"
        return f"at '{self.cron}' ({self.zone})" if self.cron else ""
