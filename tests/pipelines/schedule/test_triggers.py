"""Reasons to retrain besides the time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.artifact.repository import Repository
from core.artifact.spread import spread_of
from core.errors import ConfigError
from core.feedback import FeedbackFolder
from core.feedback_item import FeedbackItem
from pipelines.order import Order
from pipelines.schedule import triggers as triggers_module
from pipelines.schedule.journal import Journal
from pipelines.schedule.triggers import Reasons, Triggers, is_paused
from tests.core.artifact.builders import claim

NOW = datetime(2040, 1, 1, tzinfo=UTC)
"""Later than any start that the tests record."""


def digits(count: int, seed: int, ink: int = 200) -> np.ndarray:
    """Pictures of random ink inside a blank margin, so that they are framed as digits are."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 6:22, 8:20] = np.random.default_rng(seed).integers(0, ink, (count, 16, 12), np.uint8)
    return images


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "cache", feedback=tmp_path / "feedback")


def give(order: Order, images: np.ndarray) -> None:
    assert order.feedback is not None
    for image in images:
        item = FeedbackItem(digit=1, pixels=image.tobytes(), received=datetime.now(UTC))
        FeedbackFolder(order.feedback).add(item)


def names(order: Order) -> list[str]:
    assert order.feedback is not None
    return FeedbackFolder(order.feedback).names()


def test_enough_new_feedback_is_a_reason_until_a_run_has_seen_it(order: Order) -> None:
    triggers = Triggers(order, Reasons(feedback=5))
    give(order, digits(4, seed=0))
    assert triggers.find(NOW) is None
    give(order, digits(1, seed=1))
    reason = triggers.find(NOW)
    assert reason is not None
    assert reason.sentence == "pieces of new feedback: 5, at least 5 were asked for"
    Journal(order.data_dir).saw(names(order))
    assert triggers.find(NOW) is None
    give(order, digits(4, seed=2))
    assert triggers.find(NOW) is None
    give(order, digits(1, seed=3))
    assert Triggers(order, Reasons(feedback=5)).find(NOW) is not None, "also after a restart"


def test_a_run_that_goes_on_is_not_started_again(order: Order) -> None:
    triggers = Triggers(order, Reasons(feedback=1))
    give(order, digits(1, seed=0))
    Journal(order.data_dir).started("run")
    assert triggers.find(NOW) is None
    Journal(order.data_dir).ended("run")
    assert triggers.find(NOW) is not None


def test_two_runs_for_a_reason_are_a_pause_apart(order: Order) -> None:
    triggers = Triggers(order, Reasons(feedback=1, pause=timedelta(hours=2)))
    give(order, digits(1, seed=0))
    journal = Journal(order.data_dir)
    journal.started("run")
    journal.ended("run")
    record = journal.read()
    assert record is not None
    assert triggers.find(record.last_start + timedelta(hours=1)) is None
    reason = triggers.find(record.last_start + timedelta(hours=2))
    assert reason is not None
    assert reason.key == f"triggered after {record.last_start}", "one reason starts one run"


@pytest.mark.parametrize(
    ("last", "paused"),
    [
        (None, False),
        (NOW, True),
        (NOW - timedelta(minutes=59), True),
        (NOW - timedelta(hours=1), False),
        (NOW + timedelta(days=400), False),  # the clock was set back
    ],
)
def test_a_pause_is_counted_from_the_last_start(last: datetime | None, paused: bool) -> None:
    assert is_paused(last, NOW, timedelta(hours=1)) is paused


@pytest.fixture
def champion(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """A champion that was trained on pictures such as `digits` makes."""
    monkeypatch.setattr(triggers_module, "ENOUGH", 50)
    images = digits(2000, seed=100)
    repository = Repository(order.repository, writable=True)
    spread = spread_of(images, np.arange(2000, dtype=np.uint8) % 10, 10)
    draft, manifest = claim(repository)
    draft.publish(manifest.model_copy(update={"spread": spread}))
    repository.promote(1, by="a test", why="to compare with")


@pytest.mark.usefixtures("champion")
def test_new_feedback_like_the_training_images_is_no_reason(order: Order) -> None:
    give(order, digits(60, seed=1))
    assert Triggers(order, Reasons(drift=1.0)).find(NOW) is None


@pytest.mark.usefixtures("champion")
def test_new_feedback_unlike_the_training_images_is_a_reason_once(order: Order) -> None:
    triggers = Triggers(order, Reasons(drift=1.0))
    give(order, digits(49, seed=1, ink=60))
    assert triggers.find(NOW) is None, "too few to tell"
    give(order, digits(1, seed=2, ink=60))
    reason = triggers.find(NOW)
    assert reason is not None
    assert reason.sentence.startswith("new feedback drifts from what version 1 was trained on: index ")
    assert reason.sentence.endswith(", above 1")
    Journal(order.data_dir).saw(names(order))
    assert triggers.find(NOW) is None


def test_without_a_champion_nothing_has_drifted(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers_module, "ENOUGH", 1)
    give(order, digits(2, seed=1))
    Repository(order.repository, writable=True).lease().take()  # the folder exists
    assert Triggers(order, Reasons(drift=0.1)).find(NOW) is None


def test_a_storage_that_fails_is_told_once_and_tried_again(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    give(order, digits(1, seed=1))
    folder = order.feedback
    assert folder is not None
    folder.rename(folder.with_name("away"))
    folder.write_text("a file in its place")
    triggers = Triggers(order, Reasons(feedback=1))
    said: list[str] = []
    monkeypatch.setattr(triggers_module, "say", said.append)
    assert [triggers.find(NOW), triggers.find(NOW)] == [None, None]
    [sentence] = said
    assert sentence.startswith("schedule: cannot look for reasons to retrain, which is tried again: ")
    assert str(folder) in sentence
    folder.unlink()
    folder.with_name("away").rename(folder)
    assert triggers.find(NOW) is not None


def test_reasons_need_a_folder_of_feedback(tmp_path: Path) -> None:
    order = Order(repository=str(tmp_path), data_dir=tmp_path)
    with pytest.raises(ConfigError, match="need a folder of feedback: --feedback, NUMERAL_FEEDBACK"):
        Triggers(order, Reasons(feedback=200))
    assert Triggers(order, Reasons()).find(NOW) is None


def test_reasons_are_told_in_words() -> None:
    assert str(Reasons()) == ""
    assert str(Reasons(feedback=200, drift=0.25)) == (
        "when 200 new pieces of feedback have come or when the drift of at least 500 new ones exceeds 0.25, "
        "with a pause of 1h"
    )
