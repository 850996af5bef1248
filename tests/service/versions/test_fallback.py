"""When the service falls back to an earlier version by itself."""

from math import comb

import numpy as np
import pytest

from core.artifact.manifest import Rejection
from core.artifact.repository import Repository
from core.inference.answers import Answers
from service.observer import Observer
from service.versions.control import Control
from service.versions.decisions import DecisionFile
from service.versions.fallback import Fallback, by_chance, worse
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.floats import close
from tests.service.tiny_model import damage, publish, weights_file


def answers(probability: float, *, rejected: bool = False) -> Answers:
    """The answers to ten images."""
    return Answers(np.full((10, 10), probability, np.float32), np.ones(10, np.float32), np.full(10, rejected))


GOOD, BAD, REFUSED = answers(0.1), answers(np.nan), answers(0.1, rejected=True)


def exactly(bad: int, count: int, bad_before: int, count_before: int) -> float:
    """The test in whole numbers, by its definition."""
    all_bad, every = bad + bad_before, count + count_before
    ways = (
        comb(all_bad, k) * comb(every - all_bad, count - k)
        for k in range(bad, min(count, all_bad) + 1)
        if count - k <= every - all_bad
    )
    return sum(ways) / comb(every, count)


@pytest.mark.parametrize("table", [(3, 4, 1, 4), (0, 5, 0, 5), (8, 10, 1, 30), (60, 200, 40, 300), (50, 50, 0, 5)])
def test_fishers_exact_test_is_exact(table):
    assert by_chance(*table) == close(exactly(*table), rel=1e-9, why="logarithms of factorials beside whole numbers")


@pytest.mark.parametrize(
    ("situation", "bad", "count", "bad_before", "count_before", "verdict"),
    [
        ("everything fails, nothing did", 50, 50, 0, 1000, True),
        ("everything fails, and the version before had few calls", 50, 50, 0, 5, True),
        ("everything fails, and it is too early to say", 49, 49, 0, 1000, False),
        ("the version before had no calls", 100, 100, 0, 0, False),
        ("both fail alike", 500, 1000, 500, 1000, False),
        ("a rise of ten points over many images", 200, 1000, 100, 1000, True),
        ("a rise of ten points over few images", 12, 60, 6, 60, False),
        ("a rise that is certain but too small to matter", 4000, 100_000, 2000, 100_000, False),
        ("it fails less often", 10, 1000, 500, 1000, False),
    ],
)
def test_what_counts_as_worse(situation, bad, count, bad_before, count_before, verdict):
    assert worse(bad, count, bad_before, count_before) is verdict


def test_two_versions_that_are_alike_are_hardly_ever_told_apart():
    rng = np.random.default_rng(0)
    assert not any(worse(int(a), 500, int(b), 500) for a, b in rng.binomial(500, 0.2, (2000, 2)))


class Told(Observer):
    def __init__(self) -> None:
        self.back: list[tuple[str, str]] = []

    def fell_back(self, left: str, taken: str) -> None:
        self.back.append((left, taken))


class Service:
    """A watcher without its thread, with a clock that is set by hand."""

    def __init__(self, folder, run_folder, wishes: Wishes, probation: float = 600.0) -> None:
        self.now = 0.0
        repository = Repository(str(folder))
        self.store = Store(repository.url, wishes)
        self.fallback = Fallback(clock=lambda: self.now)
        self.told = Told()
        decisions = DecisionFile(run_folder)
        self.watcher = Watcher(
            repository, self.store, decisions, self.told, self.fallback, probation, clock=lambda: self.now
        )
        self.control = Control(self.store, self.watcher, decisions)
        self.decisions = decisions
        self.watcher.look()

    def calls(self, found: Answers, seconds: int = 10, wanted: str = "") -> None:
        """Compute a batch of ten images each second."""
        for _ in range(seconds):
            self.now += 1
            self.fallback.computed(self.store.choose(wanted), np.zeros((10, 28, 28), np.uint8), found, 0.0)

    def goes_on(self) -> str:
        """The version that serves once the versions are judged and the repository is looked at again."""
        self.watcher.judge()
        self.watcher.look()
        return self.store.choose().version

    def reason(self, version: str) -> str:
        return next(each.reason for each in self.store.index() if each.version == version)


@pytest.fixture
def service(repository, folder, tmp_path):
    """Version 1 has served without failures for ten seconds."""
    publish(repository, seed=1)

    def begin(wishes: Wishes | None = None, **options) -> Service:
        found = Service(folder, tmp_path / "run", wishes or Wishes(), **options)
        found.calls(GOOD)
        return found

    return begin


def test_a_new_version_with_probabilities_not_finite_gives_way_to_the_one_before(repository, folder, service, caplog):
    one = service()
    publish(repository, seed=2)
    assert one.goes_on() == "2"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    one.calls(BAD)
    assert one.goes_on() == "1"
    words = "the service has fallen back from it: 100 of 100 images failed or were rejected (100%), with version 1 0 of"
    assert words in one.reason("2")
    assert f"version 2: {words}" in caplog.text
    assert one.told.back == [("2", "1")]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before, "the repository is only read"


def test_a_demoted_version_is_not_tried_again_until_its_bytes_change(repository, folder, service):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    one.calls(BAD)
    assert one.goes_on() == "1"
    publish(repository, seed=3, promote=False)
    repository.promote(2, by="tests", why="surely it is sound")
    assert one.goes_on() == "1"
    file = weights_file(folder, 2)
    file.write_bytes(damage(file))
    assert one.goes_on() == "2"


def test_a_demoted_version_serves_again_once_an_operator_loads_it(repository, service):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    one.calls(BAD)
    assert one.goes_on() == "1"
    one.decisions.change(lambda now: now.add("load", 2))
    assert one.goes_on() == "2"
    assert one.goes_on() == "2", "earlier failures do not count any more"
    one.calls(BAD)
    assert one.goes_on() == "1"


def test_the_service_falls_back_though_the_storage_is_away(repository, folder, service):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    folder.rename(folder.with_name("elsewhere"))
    one.calls(BAD)
    assert one.goes_on() == "1"


def test_the_service_does_not_fall_back_to_a_version_that_an_operator_has_unloaded(repository, service):
    one = service()
    publish(repository, seed=2)
    assert one.goes_on() == "2"
    one.decisions.change(lambda now: now.add("unload", 1))
    one.watcher.look()
    one.calls(BAD)
    assert one.goes_on() == "2"
    assert one.told.back == []


@pytest.mark.parametrize("what", ["rejected", "failed"])
def test_rejections_and_failures_count_like_probabilities_that_are_not_finite(repository, service, what):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    for _ in range(60):
        one.now += 0.1
        if what == "failed":
            one.fallback.failed(one.store.choose(), 1)
        else:
            one.fallback.rejected(one.store.choose(), "NoDigitError")
    assert one.goes_on() == "1"


REJECTION = Rejection(scale=1.0, offset=0.0, threshold=0.5)


@pytest.mark.parametrize(
    ("before", "new", "serves"), [(REJECTION, REJECTION, "1"), (None, REJECTION, "2"), (REJECTION, None, "2")]
)
def test_refused_images_count_only_if_both_versions_can_refuse(repository, folder, tmp_path, before, new, serves):
    publish(repository, seed=1, rejection=before)
    one = Service(folder, tmp_path / "run", Wishes())
    one.calls(GOOD)
    publish(repository, seed=2, rejection=new)
    assert one.goes_on() == "2"
    one.calls(REFUSED)
    assert one.goes_on() == serves


def test_one_burst_of_bad_pictures_demotes_no_version(repository, service):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    for _ in range(60):
        one.fallback.computed(one.store.choose(), np.zeros((10, 28, 28), np.uint8), BAD, 0.0)
    assert one.goes_on() == "2"


def test_after_the_probation_a_version_is_no_longer_compared_with_the_one_before(repository, service):
    one = service(probation=100.0)
    publish(repository, seed=2)
    one.goes_on()
    one.calls(GOOD, seconds=101)
    assert one.goes_on() == "2"
    one.calls(BAD, seconds=60)
    assert one.goes_on() == "2"


def test_after_a_rollback_the_service_does_not_fall_back_to_the_newer_version(repository, service):
    one = service()
    publish(repository, seed=2)
    one.goes_on()
    one.calls(GOOD)
    repository.alias().rollback(by="tests", why="worse")
    assert one.goes_on() == "1"
    one.calls(BAD)
    assert one.goes_on() == "1"


def test_a_canary_that_does_badly_gets_no_more_calls(repository, service):
    one = service(Wishes.parse("champion", canary="challenger:50%"))
    publish(repository, seed=2, promote=False)
    repository.promote(2, by="tests", why="to be tried", alias="challenger")
    one.watcher.look()
    assert one.store.ready("challenger")
    one.calls(BAD, wanted="challenger")
    one.goes_on()
    assert not one.store.ready("challenger")
    assert {one.store.choose().version for _ in range(20)} == {"1"}


def test_a_demotion_by_one_process_is_followed_by_all(repository, folder, tmp_path, service):
    one = service()
    other = Service(folder, tmp_path / "run", Wishes())
    publish(repository, seed=2)
    assert (one.goes_on(), other.goes_on()) == ("2", "2")
    one.calls(BAD)
    assert (one.goes_on(), other.goes_on()) == ("1", "1")
    assert other.told.back == [], "only the process that has decided it notifies its observer"
