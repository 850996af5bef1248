"""Shadow mode: a challenger is compared with the version that serves, and no call waits for it."""

import logging
import threading

import numpy as np
import pytest
from PIL import Image

from core.artifact.repository import Repository
from core.inference.predict import load
from service.versions import policy
from service.versions.shadow import WAITING, Shadow
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.floats import assert_same_function
from tests.patience import eventually
from tests.service.tiny_model import publish
from tests.service.written import CROSS_PIXELS, DIGIT_PIXELS, publish_refusing

IMAGES = np.random.default_rng(3).integers(0, 256, (40, 28, 28), np.uint8)


@pytest.fixture
def shadowed(folder, repository):
    """A store whose champion is 1 and whose challenger is 2, and the shadow that compares them."""
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    repository.promote(2, by="tests", why="to be tried", alias="challenger")
    begun = []

    def begin(share: str, **options):
        store = Store(str(folder), wishes=Wishes.parse("champion", shadow=share))
        Watcher(Repository(str(folder)), store).look()
        begun.append(Shadow(store, **options))
        return store, begun[-1]

    yield begin
    for shadow in begun:
        shadow.stop()


def answered(store: Store, shadow: Shadow, images: np.ndarray = IMAGES) -> None:
    """Answer a call, and notify the shadow as the service does."""
    loaded = store.choose()
    shadow.computed(loaded, images, loaded.predictor.answers(images), 0.0)


def test_the_challenger_is_compared_image_by_image_and_answers_no_call(shadowed, repository):
    store, shadow = shadowed("challenger:100%")
    answered(store, shadow)
    eventually(lambda: shadow.comparisons() and shadow.comparisons()[0].images == 40)
    p, q = (load(repository, version)[0].probabilities(IMAGES) for version in (1, 2))
    [found] = shadow.comparisons()
    assert (found.served, found.challenger) == ("1", "2")
    assert found.disagreed == int((p.argmax(axis=1) != q.argmax(axis=1)).sum()) > 0
    assert_same_function(found.mean_difference, np.abs(p - q).mean(), terms=784, dtype=np.float32)
    assert (found.failed, found.dropped) == (0, 0)
    assert {store.choose().version for _ in range(20)} == {"1"}


def test_an_image_that_only_one_of_the_two_refuses_counts_as_disagreement(folder, repository):
    publish_refusing(repository, rejection=None)  # the same weights, but it cannot refuse
    publish_refusing(repository, promote=False)
    repository.promote(2, by="tests", why="to be tried", alias="challenger")
    store = Store(str(folder), wishes=Wishes.parse("champion", shadow="challenger:100%"))
    Watcher(Repository(str(folder)), store).look()
    shadow = Shadow(store)
    answered(store, shadow, np.stack([DIGIT_PIXELS, DIGIT_PIXELS, CROSS_PIXELS]))
    eventually(lambda: shadow.comparisons() and shadow.comparisons()[0].images == 3)
    shadow.stop()
    assert shadow.comparisons()[0].disagreed == 1


def test_the_challenger_computes_its_share_of_the_traffic(shadowed):
    store, shadow = shadowed("challenger:20%")
    for _ in range(100):
        answered(store, shadow, IMAGES[:1])
        eventually(shadow._waiting.empty)
    eventually(lambda: 19 <= shadow.comparisons()[0].images <= 21)


def test_encoded_pictures_do_not_change_the_share_that_the_challenger_computes(shadowed):
    store, shadow = shadowed("challenger:50%")
    loaded = store.choose()
    for _ in range(40):
        shadow.framed(loaded, Image.new("L", (28, 28)), IMAGES[0])
        answered(store, shadow, IMAGES[:1])
        eventually(shadow._waiting.empty)
    wanted = sum(policy.drawn(0.5, "", turn) for turn in range(40))
    eventually(lambda: shadow.comparisons()[0].images == wanted)


def test_a_stuck_challenger_delays_no_call_and_what_exceeds_its_queue_is_dropped(shadowed, monkeypatch):
    store, shadow = shadowed("challenger:100%")
    stuck, free = threading.Event(), threading.Event()
    challenger = store.named("challenger")
    truly = challenger.predictor.answers

    def answers(images):
        stuck.set()
        assert free.wait(30)
        return truly(images)

    monkeypatch.setattr(challenger.predictor, "answers", answers)
    answered(store, shadow)
    assert stuck.wait(30)
    for _ in range(WAITING + 5):
        answered(store, shadow)  # would never return if it waited
    assert shadow.comparisons()[0].dropped == 5 * 40
    free.set()
    eventually(lambda: shadow.comparisons()[0].images == (WAITING + 1) * 40)


def test_a_failing_challenger_harms_no_call_and_its_failures_are_counted(shadowed, monkeypatch):
    store, shadow = shadowed("challenger:100%")
    monkeypatch.setattr(store.named("challenger").predictor, "answers", lambda images: 1 / 0)
    answered(store, shadow)
    eventually(lambda: shadow.comparisons() and shadow.comparisons()[0].failed == 40)
    monkeypatch.undo()
    answered(store, shadow)
    eventually(lambda: shadow.comparisons()[0].images == 40)


def test_the_comparison_with_the_challenger_is_logged_periodically(shadowed, caplog):
    caplog.set_level(logging.INFO)
    seconds = iter(range(0, 10_000, 61))
    store, shadow = shadowed("challenger:100%", clock=lambda: next(seconds))
    answered(store, shadow)
    eventually(lambda: "shadow: versions 2 and 1 disagree on" in caplog.text)


def test_without_a_challenger_nothing_is_compared(folder, repository):
    publish(repository, seed=1)
    store = Store(str(folder), wishes=Wishes.parse("champion", shadow="challenger:100%"))
    Watcher(Repository(str(folder)), store).look()
    shadow = Shadow(store)
    answered(store, shadow)
    shadow.stop()
    assert shadow.comparisons() == []
