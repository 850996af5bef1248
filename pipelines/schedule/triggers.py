"""Reasons to retrain besides the time: much new feedback, or feedback unlike the training images.

Only feedback counts that no run which ended well has seen, by the names in the journal. So a reason holds until it was
acted on, over restarts too, and not once it was: drift would otherwise be a reason for ever.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from core.artifact.spread import Spread, features
from core.artifact.stability import ENOUGH, drift
from core.errors import ConfigError, FeedbackError, NumeralError
from core.feedback import FeedbackFolder
from pipelines.order import Order
from pipelines.schedule.duration import in_words
from pipelines.schedule.journal import Journal
from pipelines.voice import say

__all__ = ["Reason", "Reasons", "Triggers", "is_paused"]

WINDOW = 1000
"""The number of newest unseen items whose drift is measured: as many as the service compares."""


@dataclass(frozen=True)
class Reasons:
    """Which reasons to retrain are asked for.

    Attributes:
        feedback: How many new items are one; None: no number is.
        drift: The population stability index above which new items are one; None: none is.
        pause: The shortest time from the start of any run to one that is started for a reason. A run that ended before
            it could begin to retrain counts as well.
    """

    feedback: int | None = None
    drift: float | None = None
    pause: timedelta = timedelta(hours=1)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self.feedback is not None or self.drift is not None

    def __str__(self) -> str:
        """In words; "" if there are none."""
        parts = []
        if self.feedback is not None:
            parts.append(f"when {self.feedback:,} new pieces of feedback have come")
        if self.drift is not None:
            parts.append(f"when the drift of at least {ENOUGH} new ones exceeds {self.drift:g}")
        return f"{' or '.join(parts)}, with a pause of {in_words(self.pause)}" if parts else ""


class Reason(NamedTuple):
    """A reason to retrain now.

    Attributes:
        sentence: What it is.
        key: The same until another run has begun to retrain, so that one reason starts one such run.
    """

    sentence: str
    key: str


def is_paused(last_start: datetime | None, now: datetime, pause: timedelta) -> bool:
    """Whether a run has started too recently. A start in the future is from before the clock was set back."""
    return last_start is not None and last_start <= now < last_start + pause


class Triggers:
    """Looks for reasons to retrain."""

    def __init__(self, order: Order, reasons: Reasons) -> None:
        """Nothing was looked at yet.

        Raises:
            ConfigError: The reasons need feedback, and there is no folder of it.
        """
        if reasons and order.feedback is None:
            raise ConfigError(
                "--when-feedback and --when-drift need a folder of feedback: --feedback, NUMERAL_FEEDBACK"
            )
        self.reasons = reasons
        self._order = order
        self._journal = Journal(order.data_dir)
        self._measured: tuple[object, float | None] = (None, None)
        self._trouble = ""

    def find(self, now: datetime) -> Reason | None:
        """The reason to retrain now; None if there is none. What fails is said once, and tried again."""
        if not self.reasons or self._order.feedback is None:
            return None
        try:
            found = self._find(FeedbackFolder(self._order.feedback), now)
            self._trouble = ""
        except NumeralError as error:
            if str(error) != self._trouble:
                say(f"schedule: cannot look for reasons to retrain, which is tried again: {error}")
            self._trouble = str(error)
            return None
        return found

    def _find(self, folder: FeedbackFolder, now: datetime) -> Reason | None:
        record = self._journal.read()
        last_start = record.last_start if record else None
        running = record and any(holder.lives_here() for holder in record.active.values())
        if running or is_paused(last_start, now, self.reasons.pause):
            return None
        fresh = sorted(set(folder.names()) - self._journal.seen())
        sentence = self._enough(len(fresh)) or self._drifted(folder, fresh)
        return Reason(sentence, f"triggered after {last_start}") if sentence else None

    def _enough(self, count: int) -> str:
        wanted = self.reasons.feedback
        if wanted is None or count < wanted:
            return ""
        return f"pieces of new feedback: {count:,}, at least {wanted:,} were asked for"

    def _drifted(self, folder: FeedbackFolder, fresh: list[str]) -> str:
        wanted = self.reasons.drift
        if wanted is None or len(fresh) < ENOUGH:
            return ""
        store = self._order.store
        champion = store.alias().target()
        spread = store.manifest(champion).spread if champion else None
        if spread is None:
            return ""
        question = (champion, tuple(fresh))
        if self._measured[0] != question:
            self._measured = (question, _drift_of(folder, fresh, spread))
        index = self._measured[1]
        if index is None or index <= wanted:
            return ""
        return f"new feedback drifts from what version {champion} was trained on: index {index:.2f}, above {wanted:g}"


def _drift_of(folder: FeedbackFolder, names: list[str], spread: Spread) -> float | None:
    """The drift of the newest of these items; None if too few of them can be used."""
    images = []
    for name in sorted(names, key=lambda name: _written(folder, name))[-WINDOW:]:
        try:
            item = folder.read(name)
        except FeedbackError:  # damaged, or discarded meanwhile; the run that reads them says so
            continue
        if not item.trouble:
            images.append(item.image())
    return drift(spread, features(np.stack(images))) if len(images) >= ENOUGH else None


def _written(folder: FeedbackFolder, name: str) -> float:
    try:
        return (folder.path / f"{name}.json").stat().st_mtime
    except OSError:
        return 0.0
