"""What an observer of a job is told, in the order in which it happens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pipelines.notices.notice import Notice


@dataclass(frozen=True)
class StageBegins:
    """A stage begins; stages do not overlap."""

    name: str


@dataclass(frozen=True)
class StageEnds:
    """The stage that began last is over.

    Attributes:
        error: Why it failed; None if it did not.
        again: Whether it is tried again.
    """

    error: str | None = None
    again: bool = False


@dataclass(frozen=True)
class Line:
    """A message for people.

    Attributes:
        at: When, in seconds since 1970.
    """

    message: str
    at: float


@dataclass(frozen=True)
class Epoch:
    """An epoch of training is over.

    Attributes:
        percent: How much of the training is done.
        last: Whether there will be no other.
    """

    percent: float
    last: bool


@dataclass(frozen=True)
class Shown:
    """Something to look at.

    Attributes:
        key: What it is: lower-case letters and hyphens. Of several jobs, the latest with this key is shown first.
        description: One sentence.
        content: Markdown, or the rows of a table.
    """

    key: str
    description: str
    content: str | list[dict[str, object]]


@dataclass(frozen=True)
class Titled:
    """What the job is called from now on, and by which tags it is found."""

    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Notified:
    """Other programs are told what became of the job."""

    notice: Notice


class Outcome(StrEnum):
    """How a job ends."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Ends:
    """The job is over; nothing comes after this."""

    outcome: Outcome
    message: str


Event = StageBegins | StageEnds | Line | Epoch | Shown | Titled | Notified | Ends


class Observer(Protocol):
    """Is told of a job. It never fails and never keeps the job waiting."""

    def tell(self, event: Event) -> None:
        """Take notice of an event."""


class _Nobody:
    def tell(self, event: Event) -> None:
        """Take no notice."""


NOBODY: Observer = _Nobody()
"""For a job that nobody observes."""


def in_words(error: BaseException) -> str:
    """An error in one line: what kind, and what it says."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
