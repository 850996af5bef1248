"""Records of every retraining how it ended: in the journal of its data folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from uuid import uuid4

from pydantic import BaseModel

from core.artifact.lease import RENEWALS
from core.errors import FeedbackError, NumeralError
from core.feedback import FeedbackFolder
from pipelines.engine.stopping import raise_stop
from pipelines.order import Order
from pipelines.schedule.journal import Journal, Success
from pipelines.settings import Settings
from pipelines.voice import say


class Recording:
    """One run. Unless `ended` is called, as after a dry run, no success is recorded."""

    def __init__(self) -> None:
        self.success: Success | None = None

    def ended(self, result: BaseModel) -> None:
        """Say that the run ended well.

        Args:
            result: It has the fields of `Success`, `at` excepted.
        """
        found = result.model_dump(include=set(Success.model_fields))
        self.success = Success.model_validate({"at": datetime.now(UTC), **found})


def record_failure(order: Order, error: Exception) -> None:
    """Record that a run failed before it had begun.

    Raises:
        ConfigError, StorageError: The journal cannot be read or written.
    """
    Journal(order.data_dir).failed(_sentence(error))


@contextmanager
def recorded(order: Order, run: str | None = None) -> Iterator[Recording]:
    """Record when a run begins, that its process lives, and how it ends.

    A run that is interrupted has neither succeeded nor failed. The signs of life are what tells a scheduler elsewhere
    that the process lives: it holds no lease while it checks its settings, or waits for its turn.

    Args:
        order: What is retrained.
        run: The id of its flow run; None if it has none.

    Raises:
        ConfigError, StorageError: The journal cannot be read or written: then nothing else would work either.
    """
    journal, recording, name = Journal(order.data_dir), Recording(), run or uuid4().hex
    every = Settings().lease_seconds / RENEWALS
    journal.started(name)
    seen: list[str] = []
    try:
        with _living(journal, name, every):
            seen = _feedback(order)
            yield recording
    except Exception as error:
        raise_stop(error)
        sentence = _sentence(error)
        _noted(lambda: journal.failed(sentence))
        raise
    else:
        if success := recording.success:
            if order.feedback:
                _noted(lambda: journal.saw(seen))
            _noted(lambda: journal.succeeded(success))
    finally:
        _noted(lambda: journal.ended(name))


@contextmanager
def _living(journal: Journal, name: str, every: float) -> Iterator[None]:
    """Give a sign of life every so many seconds while the block lasts, from a thread of its own."""
    over = Event()

    def give() -> None:
        failing = False
        while not over.wait(every):
            try:
                journal.lives(name)
                failing = False
            except NumeralError as error:
                if not failing:
                    say(f"the journal cannot take a sign of life, which is tried again: {error}")
                failing = True

    thread = Thread(target=give, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__


def _feedback(order: Order) -> list[str]:
    """What is there now: the run will see it, and perhaps more."""
    try:
        return FeedbackFolder(order.feedback).names() if order.feedback else []
    except FeedbackError:  # which the step that reads the items reports
        return []


def _noted(note: Callable[[], None]) -> None:
    """Record something at the end of a run, whose own outcome matters more than the journal."""
    try:
        note()
    except NumeralError as error:  # the disk is full, or the folder has become read-only
        say(str(error))
