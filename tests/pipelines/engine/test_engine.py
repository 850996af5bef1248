"""The engine runs steps where it is called, retries what is worth it, and tells its observer."""

import errno
from types import SimpleNamespace

import pytest

from core.errors import DigestError, FeedbackError, RepositoryError, SourceError, TrainingError
from pipelines.engine import engine as engine_module
from pipelines.engine.engine import Engine
from pipelines.engine.events import Epoch, Event, StageBegins, StageEnds


class Notes(list[Event]):
    tell = list.append


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_PAUSES", (0.0, 0.0))


def failing(error: Exception, times: int) -> tuple[list[int], object]:
    """A step that fails so many times, and the calls that were made."""
    calls: list[int] = []

    def step(number: int) -> int:
        calls.append(number)
        if len(calls) <= times:
            raise error
        return number + 1

    return calls, step


def test_a_local_step_is_called_as_it_is() -> None:
    def step() -> None: ...

    assert Engine().local(step) is step


@pytest.mark.parametrize("error", [SourceError("a"), RepositoryError("b"), FeedbackError("c"), OSError("d")])
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
    assert engine.stopped == "stopped between two stages; run the same command again to go on"
    with engine.stage("publish"):
        assert engine.stopped == "stopped in the stage 'publish'; run the same command again to go on"
