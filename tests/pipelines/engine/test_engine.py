"""The engine runs steps where it is called, retries what is worth it, and tells its observer."""

import errno
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from core.errors import DigestError, FeedbackError, RepositoryError, SourceError, TrainingError
from pipelines.engine import engine as engine_module
from pipelines.engine.engine import Engine
from pipelines.engine.events import Epoch, Event, Shown, StageBegins, StageEnds


class Notes(list[Event]):
    tell = list.append


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What people are told."""
    said: list[str] = []
    monkeypatch.setattr(engine_module, "say", said.append)
    return said


def failing(error: Exception, times: int) -> tuple[list[int], object]:
    """A step that fails so many times, and the calls that were made."""
    calls: list[int] = []

    def step(number: int) -> int:
        calls.append(number)
        if len(calls) <= times:
            raise error
        return number + 1

    return calls, step


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    "error",
    [
        SourceError("a"),
        RepositoryError("b"),
        FeedbackError("c"),
        OSError("d"),
        caused(SourceError("e"), by=OSError(errno.ECONNRESET, "Connection reset by peer")),
    ],
)
def test_a_step_that_reaches_out_is_tried_three_times_when_the_outside_world_fails(error: Exception) -> None:
    calls, step = failing(error, times=2)
    assert Engine().reaching_out(step)(1) == 2  # type: ignore[arg-type]
    assert len(calls) == 3
    calls, step = failing(error, times=3)
    with pytest.raises(type(error)):
        Engine().reaching_out(step)(1)  # type: ignore[arg-type]
    assert len(calls) == 3


@pytest.mark.parametrize(
    "error",
    [
        DigestError("damaged"),
        TrainingError("diverged"),
        ValueError("a mistake"),
        OSError(errno.ENOSPC, "No space left on device"),
        caused(RepositoryError("cannot write report.html"), by=OSError(errno.ENOSPC, "No space left on device")),
    ],
)
def test_a_step_whose_failure_would_be_the_same_again_is_tried_once(error: Exception) -> None:
    calls, step = failing(error, times=1)
    with pytest.raises(type(error)):
        Engine().reaching_out(step)(1)  # type: ignore[arg-type]
    assert len(calls) == 1


def test_the_observer_is_told_of_stages_retries_epochs_and_failures_in_their_order() -> None:
    notes = Notes()
    engine = Engine(notes)
    with engine.stage("download"):
        engine.reaching_out(failing(OSError("no route"), times=1)[1])(1)  # type: ignore[arg-type]

    def train() -> None:
        engine.epoch(SimpleNamespace(epoch=1, epochs=4, stopped=None))  # type: ignore[arg-type]
        raise ValueError("odd\nlabels")

    with pytest.raises(ValueError, match="odd"), engine.stage("train"):
        train()
    assert notes == [
        StageBegins("download"),
        StageEnds(error="OSError: no route", again=True),
        StageEnds(),
        StageBegins("train"),
        Epoch(percent=25.0, last=False),
        StageEnds(error="ValueError: odd labels"),
    ]
    assert engine.seconds.keys() == {"download"}


def test_what_is_for_show_is_made_for_an_observer_alone_and_fails_no_job(lines: list[str]) -> None:
    def exhibits() -> Iterator[Shown]:
        yield card
        raise ValueError("no font")

    card, notes = Shown("model-card", "The card.", "# A card"), Notes()
    Engine().show(exhibits)
    assert lines == []
    Engine(notes).show(exhibits)
    assert lines == ["Prefect's pages do not show all of this run (ValueError: no font): the run goes on"]
    assert notes == [card]


@pytest.mark.parametrize(("stopped", "epoch", "last"), [(None, 2, False), (None, 4, True), ("no better", 2, True)])
def test_the_last_epoch_is_told_as_the_last_even_if_training_stops_early(
    stopped: str | None, epoch: int, last: bool
) -> None:
    notes = Notes()
    Engine(notes).epoch(SimpleNamespace(epoch=epoch, epochs=4, stopped=stopped))  # type: ignore[arg-type]
    assert [event.last for event in notes if isinstance(event, Epoch)] == [last]


def test_the_sentence_of_a_stop_names_the_epoch_or_the_stage() -> None:
    engine = Engine()
    assert engine.stopped == "stopped before the first stage; run the same command again to go on"
    with engine.stage("train"):
        assert engine.stopped == "stopped in the stage 'train'; run the same command again to go on"
        engine.epoch(SimpleNamespace(epoch=3, epochs=10, stopped=None))  # type: ignore[arg-type]
        assert engine.stopped == "stopped after epoch 3 of 10; run the same command again to go on"
    assert engine.stopped == "stopped after the stage 'train'; run the same command again to go on"
    with engine.stage("publish"):
        assert engine.stopped == "stopped in the stage 'publish'; run the same command again to go on"
    engine.conclude("published: version 1")
    assert engine.stopped == "stopped while others were told of the end; the run itself was over: published: version 1"


def test_each_pause_before_another_attempt_is_told(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_PAUSES", (0.001, 0.002))
    with pytest.raises(SourceError):
        Engine().reaching_out(failing(SourceError("no mirror answers"), times=3)[1])(1)  # type: ignore[arg-type]
    assert lines == [
        "attempt 1 of 3 failed (SourceError: no mirror answers); trying again in 0 s",
        "attempt 2 of 3 failed (SourceError: no mirror answers); trying again in 0 s",
    ]
