"""The heartbeat of a scheduler: a small file that it writes again and again, by which others see that it works."""

from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field, ValidationError

from core.artifact.fields import Moment, Part, Text
from core.artifact.holder import Holder
from core.artifact.sealed import opened, sealed
from core.errors import ConfigError
from pipelines.references import FileRef

__all__ = ["Heartbeat", "Lessee"]

_MISSED = 4
"""Beats that may be missed on a busy machine, and a minute more."""


class Lessee(Part):
    """Who held the lease of the repository at the last beat."""

    holder: Text
    since: Moment


class Heartbeat(Part):
    """One beat.

    Attributes:
        at: When the scheduler last heard from Prefect's server.
        every: Seconds between two beats.
        scheduler: The process.
        since: When it started.
        when: The timetable and the other reasons to retrain, in words.
        next_run: The next time of the timetable; None if it has none.
        longest_gap: Seconds between the two runs of the timetable that are furthest apart; None likewise.
        lease: Who may retrain now; None if nobody does.
    """

    at: Moment
    every: float = Field(gt=0)
    scheduler: Holder
    since: Moment
    when: Text
    next_run: Moment | None
    longest_gap: float | None
    lease: Lessee | None

    @classmethod
    def last(cls, data_dir: Path) -> "Heartbeat | None":
        """The last beat of the last scheduler that used a data folder; None if there was none, or it is damaged.

        Raises:
            ConfigError: The file cannot be read.
        """
        path = _path(data_dir)
        try:
            return cls.model_validate(opened(path.read_bytes(), known=cls.model_fields))
        except (FileNotFoundError, ValidationError, ValueError):
            return None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}; which user runs the scheduler?") from error

    def write(self, data_dir: Path) -> None:
        """Replace the last beat.

        Raises:
            StorageError: The data folder cannot be written.
        """
        FileRef.store(_path(data_dir), sealed(self.model_dump(mode="json")))

    def trouble(self, now: datetime) -> str:
        """Why the scheduler does not seem to work; "" if it does."""
        if self.scheduler.is_dead():
            return f"the scheduler, {self.scheduler}, has ended"
        silent = now - self.at
        if silent > timedelta(seconds=_MISSED * self.every + 60):
            minutes = silent.total_seconds() / 60
            return f"the scheduler, {self.scheduler}, has not heard from Prefect's server for {minutes:.0f} minutes"
        return ""


def _path(data_dir: Path) -> Path:
    return data_dir / "scheduler.json"
