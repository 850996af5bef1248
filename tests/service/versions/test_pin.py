"""A version that an operator has pinned: what it takes, what it leaves alone, and how it ends."""

import asyncio
import logging

import pytest

from core.artifact.repository import Repository
from service.errors import LoadRefusedError, NoModelError, NotReadyError, UnknownVersionError
from service.versions.decisions import Decision, DecisionFile, Decisions
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.patience import eventually
from tests.service.tiny_model import damage, publish, weights_file
from tests.service.versions.test_control import Worker
from tests.service.versions.test_fallback import BAD, GOOD, Service

UNLOADED = Decision("unload", 1, "an operator has unloaded it")


@pytest.mark.parametrize(
    ("situation", "before", "number", "pinned", "action"),
    [
        ("nothing was decided", Decisions(), 5, 5, "retry"),
        ("another version was pinned", Decisions(pinned=4), 5, 5, "retry"),
        ("it was unloaded", Decisions(versions={5: UNLOADED}), 5, 5, "retry"),
        ("the service has fallen back from it", Decisions().add("demote", 5), 5, 5, "retry"),
        ("it was loaded by hand, and stays so after the pin", Decisions().add("load", 5), 5, 5, "load"),
        ("the pin ends", Decisions(pinned=5), None, None, None),
    ],
)
def test_what_a_pin_decides(situation, before, number, pinned, action):
    found = before.pin(number)
    assert (found.pinned, found.serial) == (pinned, before.serial + 1)
    assert action is None or found.versions[number].action == action
    assert number is None or number in found.to_be_tried(since=before.serial)


@pytest.mark.parametrize(
    ("situation", "before", "meanwhile", "pinned", "decision"),
    [
        ("nothing was decided before", Decisions(), None, None, "retry"),
        ("another version was pinned before", Decisions(pinned=4), None, 4, "retry"),
        ("the same was pinned before, and could not serve either", Decisions(pinned=5), None, None, "retry"),
        ("it was unloaded before", Decisions(versions={5: UNLOADED}), None, None, "unload"),
        ("another version was pinned meanwhile", Decisions(), lambda now: now.pin(6), 6, "retry"),
        ("it was unloaded meanwhile", Decisions(), lambda now: now.add("unload", 5), None, "unload"),
    ],
)
def test_what_holds_again_if_a_version_cannot_be_pinned(situation, before, meanwhile, pinned, decision):
    now = before.pin(5)
    if meanwhile:
        now = meanwhile(now)
    found = now.undo_pin(5, before)
    assert (found.pinned, found.versions[5].action) == (pinned, decision)


def test_to_unload_the_pinned_version_ends_the_pin_and_other_decisions_do_not():
    pinned = Decisions().pin(5)
    assert pinned.add("load", 5).pinned == pinned.add("unload", 4).pinned == pinned.close(True).pinned == 5
    assert pinned.add("unload", 5).pinned is None


class Pinning(Worker):
    """A worker whose operator pins versions."""

    def pin(self, version: str = "") -> str:
        return asyncio.run(self.control.pin(version))

    @property
    def serving(self) -> str:
        return self.store.choose().version


@pytest.fixture
def worker(folder, tmp_path):
    workers = []

    def begin(wishes: Wishes | None = None) -> Pinning:
        workers.append(Pinning(folder, tmp_path / "run", wishes or Wishes()))
        eventually(workers[-1].store.active)
        return workers[-1]

    yield begin
    for each in workers:
        each.watcher.stop()


@pytest.fixture
def three(repository):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    return repository


def test_a_pinned_version_answers_whatever_is_promoted_until_the_policy_is_returned_to(three, worker, caplog):
    one = worker()
    with caplog.at_level(logging.INFO, "service.versions.findings"):
        assert one.pin("1") == one.serving == one.store.pinned() == "1"
        publish(three, seed=4)
        eventually(lambda: one.store.choose("champion").version == "4")
        assert one.serving == "1"
        assert one.state("1") == one.state("4") == ("READY", "")
        assert one.pin() == one.serving == "4"
    assert one.store.pinned() == ""
    assert one.state("1")[0] == "UNAVAILABLE"
    lines = [record.message for record in caplog.records]
    [pinned] = [line for line in lines if line.startswith("version 1 is pinned: it answers the calls that name no")]
    assert "whatever the policy champion says; weights sha256 " in pinned
    assert any(line.startswith("version 4 is loaded as champion, weights sha256 ") for line in lines)
    assert not any(line.startswith("serving ") for line in lines)
    assert lines[-1] == "version 1 is no longer pinned; by the policy champion, version 4 serves"


def test_calls_that_name_the_alias_or_another_version_are_answered_as_before_a_pin(three, worker):
    one = worker(Wishes(also=("2",)))
    one.pin("1")
    assert [one.store.choose(name).version for name in ("", "champion", "2", "3", "1")] == ["1", "3", "2", "3", "1"]
    assert one.store.names(one.store.choose("champion")) == ("champion",)
    assert one.store.names(one.store.choose()) == ()


def test_an_alias_is_resolved_when_it_is_pinned(three, worker):
    one = worker()
    assert one.pin("champion") == "3"
    publish(three, seed=4)
    eventually(lambda: one.store.choose("champion").version == "4")
    assert one.serving == "3"


def test_under_a_pin_a_canary_answers_only_the_calls_that_name_it(three, worker):
    three.promote(2, by="tests", why="to be tried", alias="challenger")
    one = worker(Wishes.parse("champion", canary="challenger:100%"))
    eventually(lambda: one.store.ready("challenger"))
    assert one.serving == "2"
    one.pin("1")
    assert {one.serving for _ in range(20)} == {"1"}
    assert one.store.choose("challenger").version == "2"
    one.pin()
    assert one.serving == "2"


@pytest.mark.parametrize("before", ["", "2"])
def test_a_damaged_version_cannot_be_pinned_and_nothing_changes(three, worker, folder, before):
    one = worker()
    one.pin(before)
    one.unload("1")
    damage(weights_file(folder, 1))
    served = one.serving
    with pytest.raises(LoadRefusedError, match=r"version 1 cannot be pinned: mnist/1/weights.safetensors: .* sha256"):
        one.pin("1")
    assert (one.serving, one.store.pinned()) == (served, before)
    assert one.state("1") == ("UNAVAILABLE", "an operator has unloaded it")


def test_a_version_that_does_not_fit_into_memory_cannot_be_pinned(three, worker, monkeypatch):
    one = worker()
    monkeypatch.setattr("service.versions.memory.left", lambda: 1)
    with pytest.raises(
        LoadRefusedError, match="version 1 cannot be pinned: mnist 1: takes up to 32 MB while it is loaded"
    ):
        one.pin("1")
    assert (one.serving, one.store.pinned()) == ("3", "")


@pytest.mark.parametrize("name", ["9", "challenger", "pretrained", "latest:", "1 "])
def test_a_version_that_does_not_exist_cannot_be_pinned(three, worker, name):
    one = worker()
    with pytest.raises(UnknownVersionError, match=f"no version or alias '{name}' here; ready: 3"):
        one.pin(name)
    assert one.serving == "3"


def test_a_version_that_was_damaged_after_it_was_loaded_can_be_pinned(three, worker, folder):
    one = worker()
    one.load("1")
    damage(weights_file(folder, 1))
    eventually(lambda: "refused" in str(one.watcher._loader.refusals) or one.store.ready("1"))
    assert one.pin("1") == "1"


def test_a_version_that_was_unloaded_serves_once_it_is_pinned_and_stays_ready_to_be_served_after(three, worker):
    one = worker()
    one.unload("3")
    assert one.serving == "2"
    assert one.pin("3") == "3"
    assert one.pin() == "3"


def test_to_unload_the_pinned_version_returns_to_the_policy_and_says_so(three, worker, caplog):
    one = worker()
    one.pin("1")
    with caplog.at_level(logging.INFO, "service.versions.findings"):
        one.unload("1")
    assert (one.serving, one.store.pinned()) == ("3", "")
    assert one.state("1") == ("UNAVAILABLE", "an operator has unloaded it, which has ended its pin")
    assert "version 1 is no longer pinned: an operator has unloaded it, which has ended its pin; by" in caplog.text


def test_a_model_that_is_unloaded_as_a_whole_keeps_its_pin_and_cannot_be_pinned_meanwhile(three, worker):
    one = worker()
    one.pin("1")
    one.unload()
    with pytest.raises(NotReadyError, match="an operator has unloaded the model"):
        one.store.choose()
    with pytest.raises(LoadRefusedError, match=r"unloaded as a whole; load it again .*, then pin a version"):
        one.pin("2")
    one.load()
    assert one.serving == one.store.pinned() == "1"


def test_to_return_to_a_policy_that_serves_nothing_leaves_no_version(repository, worker, folder, tmp_path):
    publish(repository, seed=1, promote=False)
    decisions = DecisionFile(tmp_path / "run")
    decisions.change(lambda now: now.pin(1))
    one = worker()
    assert one.serving == "1"
    with pytest.raises(NoModelError):
        one.store.choose("champion")
    assert one.pin() == ""
    with pytest.raises(NoModelError):
        one.store.choose()


def test_the_pretrained_version_can_be_pinned_though_versions_are_published(repository, tmp_path):
    publish(repository, seed=1)
    own = Repository(str(tmp_path / "own"), writable=True)
    publish(own, seed=2)
    store, decisions = Store(own.url), DecisionFile()
    watcher = Watcher(own, store, decisions, pretrained=repository.url)
    watcher.look()
    decisions.change(lambda now: now.pin(store.pinnable("pretrained")))
    watcher.look()
    assert store.choose().version == store.pinned() == "pretrained"
    decisions.change(lambda now: now.pin(None))
    watcher.look()
    assert [loaded.version for loaded in store.loaded()] == ["1"]


def test_every_process_follows_a_pin_and_so_does_one_that_starts_later(three, worker):
    workers = [worker() for _ in range(3)]
    workers[0].pin("1")
    workers.append(worker())
    assert [each.serving for each in workers] == ["1"] * 4
    workers[3].pin()
    assert [each.serving for each in workers] == ["3"] * 4


def test_a_process_that_cannot_load_the_pinned_version_says_so_and_serves_the_policy(three, worker, folder, caplog):
    first = worker()
    first.pin("1")
    damage(weights_file(folder, 1))
    second = worker()
    assert (first.serving, second.serving) == ("1", "3")
    eventually(lambda: "version 1 is pinned and cannot be served; version 3 goes on serving" in caplog.text)
    assert "sha256" in second.state("1")[1]


def test_of_two_pins_at_once_the_later_one_holds_and_neither_fails(three, worker):
    one, other = worker(), worker()

    async def both() -> list[str]:
        return await asyncio.gather(one.control.pin("1"), other.control.pin("2"))

    asyncio.run(both())
    [pinned] = {each.store.pinned() for each in (one, other)}
    assert pinned in ("1", "2")
    assert one.serving == other.serving == pinned


def test_a_decision_file_of_an_earlier_release_pins_nothing(tmp_path):
    (tmp_path / "control.json").write_text('{"serial": 1, "versions": {"7": {"action": "load", "serial": 1}}}')
    assert DecisionFile(tmp_path).read().pinned is None


# automatic fallback


@pytest.fixture
def service(repository, folder, tmp_path):
    """Version 1 has served without failures for ten seconds, then version 2 was promoted."""
    publish(repository, seed=1)
    one = Service(folder, tmp_path / "run", Wishes())
    one.calls(GOOD)
    publish(repository, seed=2)
    assert one.goes_on() == "2"
    return one


def pin(service: Service, number: int | None) -> None:
    service.decisions.change(lambda now: now.pin(number))
    service.watcher.look()


def test_the_service_does_not_fall_back_from_a_pinned_version(service):
    pin(service, 2)
    service.calls(BAD)
    assert service.goes_on() == "2"
    assert service.told.back == []


def test_a_version_that_the_service_has_fallen_back_from_serves_if_it_is_pinned(service):
    service.calls(BAD)
    assert service.goes_on() == "1"
    pin(service, 2)
    service.calls(BAD)
    assert service.goes_on() == "2"


def test_a_champion_that_fails_by_its_name_is_fallen_back_from_and_the_pin_holds(repository, service):
    service.calls(GOOD)
    publish(repository, seed=3)
    assert service.goes_on() == "3"
    pin(service, 1)
    service.calls(BAD, wanted="champion")
    assert service.goes_on() == "1"
    assert service.told.back == [("3", "2")]
    assert service.store.choose("champion").version == "2"
    pin(service, None)
    assert service.goes_on() == "2"


def test_after_a_pin_the_policys_version_is_on_probation_beside_the_one_that_was_pinned(repository, service):
    pin(service, 1)
    publish(repository, seed=3)
    service.calls(GOOD, seconds=700)  # the probation that began when version 3 was promoted is over
    assert service.goes_on() == "1"
    pin(service, None)
    assert service.goes_on() == "3"
    service.calls(BAD)
    assert service.goes_on() == "1"
    assert service.told.back == [("3", "1")]


def test_after_a_pin_that_was_ended_by_an_unload_nothing_falls_back_to_that_version(service):
    pin(service, 1)
    service.calls(GOOD)
    service.decisions.change(lambda now: now.add("unload", 1))
    service.watcher.look()
    service.calls(BAD)
    assert service.goes_on() == "2"


def test_a_verdict_that_comes_together_with_a_pin_does_not_undo_it(service):
    service.calls(BAD)
    service.decisions.change(lambda now: now.pin(2))  # this process has not followed it yet
    assert service.goes_on() == "2"
