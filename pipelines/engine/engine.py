"""`Engine`: runs the steps of a job, one after another, in the thread of its caller."""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

import tenacity

from core.errors import FeedbackError, RepositoryError, SourceError
from core.train.report import EpochReport
from pipelines.engine.events import NOBODY, Epoch, Notified, Observer, Shown, StageBegins, StageEnds, Titled, in_words
from pipelines.engine.stopping import as_stop, raise_stop
from pipelines.notices.notice import Notice
from pipelines.voice import say

P = ParamSpec("P")
R = TypeVar("R")

_PAUSES = (2.0, 10.0)
"""Seconds before the second and the third attempt. A mirror has its own, quicker retries in `pipelines.sources`."""

_LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""What a disk refuses now, it will refuse in ten seconds: a full disk, a folder that may not be written."""


class Engine:
    """Runs steps, retries those that reach out, measures stages, and tells an observer what happens.

    The steps run here whoever observes them, so that a job's results and messages are the same, and no failure of the
    observer is one of the job.

    Attributes:
        seconds: How long each stage took.
        conclusion: What came of the job, in a sentence for its observer.
    """

    def __init__(self, observer: Observer = NOBODY) -> None:
        self.seconds: dict[str, float] = {}
        self.conclusion = "done"
        self._concluded = False
        self._observer = observer
        self._stage: str | None = None
        self._before: str | None = None
        self._epoch: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a part of the job, which people see under this name."""
        self._stage, started = name, perf_counter()
        self._observer.tell(StageBegins(name))
        try:
            yield
        except Exception as error:  # not `Stopped`, which is no failure
            raise_stop(error)
            self._observer.tell(StageEnds(error=in_words(error)))
            raise
        self.seconds[name] = round(self.seconds.get(name, 0.0) + perf_counter() - started, 3)
        self._observer.tell(StageEnds())
        self._before, self._stage, self._epoch = name, None, None

    def reaching_out(self, step: Callable[P, R]) -> Callable[P, R]:
        """A step that reaches out to mirrors or the repository. It is retried twice if the outside world failed.

        A step that works on local files alone is called as it is: what failed once would fail again.
        """

        @wraps(step)
        def retried(*args: P.args, **kwargs: P.kwargs) -> R:
            retrying = tenacity.Retrying(
                retry=tenacity.retry_if_exception(outside_world_failed),
                stop=tenacity.stop_after_attempt(1 + len(_PAUSES)),
                wait=tenacity.wait_chain(*map(tenacity.wait_fixed, _PAUSES)),
                before_sleep=self._tell_of_retry,
                reraise=True,
            )
            return retrying(step, *args, **kwargs)

        return retried

    def epoch(self, report: EpochReport) -> None:
        """Take notice of an epoch of training."""
        self._epoch = f"epoch {report.epoch} of {report.epochs}"
        last = bool(report.stopped) or report.epoch == report.epochs
        self._observer.tell(Epoch(percent=100 * report.epoch / report.epochs, last=last))

    def show(self, make: Callable[[], Iterable[Shown]]) -> None:
        """Show something to whoever observes the job.

        Args:
            make: Makes what is shown. It is called if there is an observer, and fails no job: people are told.
        """
        if self._observer is NOBODY:
            return
        try:
            for shown in make():
                self._observer.tell(shown)
        except Exception as error:  # noqa: BLE001 — whatever it is, nothing of the job depends on it
            raise_stop(error)
            say(f"Prefect's pages do not show all of this run ({in_words(error)}): the run goes on")

    def title(self, name: str, tags: tuple[str, ...]) -> None:
        """Say what the job is called from now on, in lists, and by which tags it is found."""
        self._observer.tell(Titled(name, tags))

    def announce(self, notice: Notice) -> None:
        """Have whoever observes the job tell other programs."""
        self._observer.tell(Notified(notice))

    def conclude(self, conclusion: str) -> None:
        """Say what came of the job. Whatever it still does, such as telling other programs, needs no other run."""
        self.conclusion, self._concluded = conclusion, True

    @property
    def stopped(self) -> str:
        """A sentence for people about a run that is stopped now."""
        if self._concluded:
            return f"stopped while others were told of the end; the run itself was over: {self.conclusion}"
        if self._epoch:
            where = f"after {self._epoch}"
        elif self._stage:
            where = f"in the stage '{self._stage}'"
        else:
            where = f"after the stage '{self._before}'" if self._before else "before the first stage"
        return f"stopped {where}; run the same command again to go on"

    def _tell_of_retry(self, state: tenacity.RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if failure is None:
            return
        attempt, pause = f"attempt {state.attempt_number} of {1 + len(_PAUSES)}", f"{state.upcoming_sleep:.0f} s"
        say(f"{attempt} failed ({in_words(failure)}); trying again in {pause}")
        if self._stage:
            self._observer.tell(StageEnds(error=in_words(failure), again=True))


def outside_world_failed(error: BaseException) -> bool:
    """Whether a mirror, a network or a disk failed for a while; any other error would be the same again.

    An error that a library has made of a signal is none of these: the run is being stopped.
    """
    if as_stop(error) is not error:
        return False
    reached_out = isinstance(error, SourceError | RepositoryError | FeedbackError)
    cause = error.__cause__ if reached_out else error  # such as the full disk that a repository is on
    if isinstance(cause, OSError):
        return cause.errno not in _LASTING
    return reached_out
