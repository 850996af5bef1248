"""The journal of a data folder: which runs ended well and which did not, for health checks and for triggers.

It is one small file, which every run updates at its beginning, at its end, and while it lasts, as a sign that its
process lives. Reading it needs neither Prefect nor a network.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from core.artifact.fields import Count, Moment, Name, Part, Text, VersionNumber
from core.artifact.holder import Holder
from core.artifact.sealed import opened, sealed
from core.errors import ConfigError
from pipelines.lock import locked
from pipelines.references import FileRef

__all__ = ["Failure", "Journal", "Record", "Success"]

LONGEST_ERROR = 2000

RunKey = Annotated[str, Field(max_length=64)]
"""The id of a flow run, with dashes; or the name of a run by hand, without."""


class Success(Part):
    """A run that ended well.

    Attributes:
        at: When it ended.
        outcome: What it found: a rejected version is no failure of the run.
        version: The version that it published, or that has the same data, recipe and code already.
        promoted: Whether that version was the champion then.
        recipe: Its name.
        rejected: Why the version may not become the champion: by the gate, or by its trial; None if it may.
    """

    at: Moment
    outcome: Literal["published", "unchanged", "rejected"]
    version: VersionNumber
    promoted: bool
    recipe: Name
    rejected: Text | None = None


class Failure(Part):
    """A run that failed, and with which sentence."""

    at: Moment
    error: Text


class Record(Part):
    """What the journal holds.

    Attributes:
        began: When the first run with this data folder started.
        last_start: When the last one did.
        last_success: The last one that ended well.
        last_promotion: The last one after which its own new version was the champion; or when a canary became it.
        last_failure: The last one that failed.
        rejections: How many new versions in a row were rejected.
        active: The process of each run that has not ended: by the id of its flow run, if a scheduler started it; a run
            by hand has a name of its own.
        signs: How many signs of life the process of each of them has given, by the same key. The clocks of two machines
            may differ, so whoever wants to know whether a process lives elsewhere looks whether its number grows.
    """

    began: Moment
    last_start: Moment
    last_success: Success | None = None
    last_promotion: Success | None = None
    last_failure: Failure | None = None
    rejections: Count = 0
    active: Mapping[RunKey, Holder] = {}
    signs: Mapping[RunKey, Count] = {}

    def without(self, run: str) -> "Record":
        """The same record after a run is over."""
        active, signs = ({k: v for k, v in each.items() if k != run} for each in (self.active, self.signs))
        return self.model_copy(update={"active": active, "signs": signs})


class Journal:
    """The journal in a data folder. Any number of processes may write it.

    What writes it raises `ConfigError` if it cannot be read, and `StorageError` if it cannot be locked or written.
    """

    def __init__(self, data_dir: Path) -> None:
        """Name it; nothing is read or written yet."""
        self.path = data_dir / "journal.json"
        self._seen = data_dir / "feedback-seen"

    def read(self) -> Record | None:
        """What was recorded; None before the first run, and if the file is damaged: the next run writes a new one.

        Raises:
            ConfigError: The file cannot be read.
        """
        try:
            return Record.model_validate(opened(self.path.read_bytes(), known=Record.model_fields))
        except FileNotFoundError:
            return None
        except (ValidationError, ValueError):
            return None
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def started(self, run: str) -> None:
        """Record that this process begins a run, under its key in `Record.active`.

        Runs by hand that were killed are forgotten. Those of a scheduler it has to mark in Prefect first.
        """
        holder, now = Holder.of_this_process(), datetime.now(UTC)

        def begin(record: Record) -> Record:
            left = {key: other for key, other in record.active.items() if _is_flow_run(key) or not other.is_dead()}
            signs = {key: count for key, count in record.signs.items() if key in left}
            return record.model_copy(update={"last_start": now, "active": {**left, run: holder}, "signs": signs})

        self._update(begin)

    def lives(self, run: str) -> None:
        """Record that this process, which began a run, still lives. A run that was taken for dead is active again."""
        holder = Holder.of_this_process()

        def count(record: Record) -> Record:
            signs = {**record.signs, run: record.signs.get(run, 0) + 1}
            return record.model_copy(update={"active": {**record.active, run: holder}, "signs": signs})

        self._update(count)

    def ended(self, run: str) -> None:
        """Record that a run is over, however it went."""
        self._update(lambda record: record.without(run))

    def succeeded(self, success: Success) -> None:
        """Record a run that ended well."""

        def add(record: Record) -> Record:
            changes: dict[str, object] = {"last_success": success}
            if success.outcome == "published":
                changes |= {"rejections": 0} | ({"last_promotion": success} if success.promoted else {})
            elif success.outcome == "rejected":
                changes |= {"rejections": record.rejections + 1}
            return record.model_copy(update=changes)

        self._update(add)

    def promoted(self, promotion: Success) -> None:
        """Record that a version became the champion, though no run ended with that: it has been a canary."""
        self._update(lambda record: record.model_copy(update={"last_promotion": promotion}))

    def failed(self, error: str) -> None:
        """Record a run that failed, with one sentence."""
        failure = Failure(at=datetime.now(UTC), error=error[:LONGEST_ERROR])
        self._update(lambda record: record.model_copy(update={"last_failure": failure}))

    def seen(self) -> frozenset[str]:
        """The names of the feedback that was there when the last run that ended well began.

        Raises:
            ConfigError: The file cannot be read.
        """
        try:
            return frozenset(self._seen.read_text("ascii").split())
        except (FileNotFoundError, UnicodeDecodeError):
            return frozenset()
        except OSError as error:
            raise _unreadable(self._seen, error) from error

    def saw(self, names: list[str]) -> None:
        """Record which feedback a run that ended well has seen."""
        with self._locked():
            FileRef.store(self._seen, "\n".join(names).encode())

    def _update(self, change: Callable[[Record], Record]) -> None:
        with self._locked():
            now = datetime.now(UTC)
            record = change(self.read() or Record(began=now, last_start=now))
            FileRef.store(self.path, sealed(record.model_dump(mode="json")))

    def _locked(self) -> AbstractContextManager[None]:
        """Between reading and writing, nobody else writes."""
        # In silence: a wait is short; and if the file system knows no locks, the lock of the run's work folder says so.
        return locked(self.path.with_name("journal.lock"), lambda _: None, lambda _: None)


def _is_flow_run(key: str) -> bool:
    """Whether a run is one of Prefect's: their ids have dashes, those of runs by hand have none."""
    return "-" in key


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path}: cannot be read: {error.strerror}; which user runs the pipelines?")
