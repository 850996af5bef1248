"""Decisions of an operator, followed by a real watcher in one process or in several."""

import asyncio
import threading
import time
from itertools import count

import pytest

from core.artifact.repository import Repository
from service.call import expires
from service.client import Recognizer
from service.errors import LoadRefusedError, NotReadyError, UnknownVersionError
from service.versions.control import Control
from service.versions.decisions import DecisionFile, Decisions
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.patience import eventually
from tests.service.tiny_model import damage, publish, weights_file


class Worker:
    """The parts of one process of the service that follow decisions."""

    def __init__(self, folder, run_folder, wishes: Wishes) -> None:
        repository = Repository(str(folder))
        self.store = Store(repository.url, wishes)
        decisions = DecisionFile(run_folder)
        self.watcher = Watcher(repository, self.store, decisions)
        self.control = Control(self.store, self.watcher, decisions)
        self.watcher.start(0.02, lambda: None)

    def load(self, *versions: str) -> None:
        asyncio.run(self.control.load(*versions))

    def unload(self, version: str = "") -> None:
        asyncio.run(self.control.unload(version))

    def state(self, version: str) -> tuple[str, str]:
        return next((s.state, s.reason) for s in self.store.index() if s.version == version)


@pytest.fixture
def worker(folder, tmp_path):
    workers = []

    def begin(wishes: Wishes | None = None) -> Worker:
        workers.append(Worker(folder, tmp_path / "run", wishes or Wishes()))
        return workers[-1]

    yield begin
    for each in workers:
        each.watcher.stop()


@pytest.fixture
def three(repository):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    return repository


def test_a_version_that_an_operator_loads_answers_by_name_beside_the_champion(three, worker):
    one = worker()
    eventually(one.store.active)
    with pytest.raises(NotReadyError, match="version 1 is not ready: not selected by the serving policy"):
        one.store.choose("1")
    one.load("1")
    assert one.store.choose("1").version == "1"
    assert one.store.choose().version == one.store.choose("champion").version == "3"


def test_an_unloaded_champion_gives_way_to_the_one_before_until_it_is_loaded_again(three, worker):
    one = worker()
    eventually(one.store.active)
    one.unload("champion")
    assert one.store.choose().version == "2"
    assert one.state("3") == ("UNAVAILABLE", "an operator has unloaded it")
    assert not one.store.ready("3")
    one.load("3")
    assert one.store.choose().version == "3"
    assert one.state("3") == ("READY", "")


def test_a_model_that_is_unloaded_as_a_whole_answers_nothing_until_loaded_again(three, worker):
    one = worker()
    eventually(one.store.active)
    one.unload()
    assert not one.store.ready()
    with pytest.raises(NotReadyError, match="an operator has unloaded the model"):
        one.store.choose()
    assert {status.state for status in one.store.index()} == {"UNAVAILABLE"}
    one.load()
    assert one.store.choose().version == "3"


def test_a_load_of_a_damaged_version_is_refused_to_the_operator_with_the_reason(three, worker, folder):
    sound = damage(weights_file(folder, 1))
    one = worker()
    eventually(one.store.active)
    with pytest.raises(LoadRefusedError, match=r"version 1 is not loaded: mnist/1/weights.safetensors: .* sha256"):
        one.load("1")
    weights_file(folder, 1).write_bytes(sound)
    one.load("1")
    assert one.store.ready("1")


def test_many_versions_are_loaded_by_one_decision_and_those_that_cannot_be_are_named(repository, worker, folder):
    for seed in range(1, 13):
        publish(repository, seed=seed)
    for damaged in (2, 4, 6, 8):
        damage(weights_file(folder, damaged))
    one = worker()
    eventually(one.store.active)
    with pytest.raises(LoadRefusedError) as refused:
        one.load(*map(str, range(1, 12)))
    assert str(refused.value).count("is not loaded: mnist/") == 3
    assert str(refused.value).endswith("; and 1 more")
    assert [loaded.number for loaded in one.store.loaded()] == [12, 1, 3, 5, 7, 9, 10, 11]
    assert one.watcher.followed == 11 + 4, "a decision a version, followed in two looks"


def test_more_versions_than_may_be_in_memory_are_refused_at_once(three, worker, monkeypatch):
    monkeypatch.setattr("service.versions.control.MOST_LOADED", 2)
    one = worker()
    eventually(one.store.active)
    with pytest.raises(LoadRefusedError, match=r"3 versions would be loaded by request, expected at most 2; unload"):
        one.load("1", "2", "3")
    one.load("1", "2")
    with pytest.raises(LoadRefusedError, match=r"3 versions would be loaded by request"):
        one.load("3")
    one.unload("1")
    one.load("3")
    assert one.store.ready("3")


def test_a_load_is_answered_before_the_deadline_of_its_call_and_goes_on(three, folder, tmp_path):
    repository = Repository(str(folder))
    store, decisions = Store(repository.url), DecisionFile(tmp_path)
    watcher = Watcher(repository, store, decisions)
    watcher.look()
    control = Control(store, watcher, decisions)

    async def load_with_a_deadline() -> None:
        expires.set(time.monotonic() + 0.5)
        await control.load("1")

    with pytest.raises(NotReadyError, match=r"not followed within .* seconds; it will be, once the watcher is free"):
        asyncio.run(load_with_a_deadline())  # nobody looks
    watcher.look()
    assert store.ready("1")


def test_a_promotion_does_not_wait_for_all_of_many_versions_to_be_loaded(three, folder, tmp_path):
    repository = Repository(str(folder))
    store, decisions = Store(repository.url), DecisionFile(tmp_path)
    seconds = count(step=10.0)  # each glance at the clock is as late as a slow load
    watcher = Watcher(repository, store, decisions, clock=lambda: next(seconds))
    while not watcher.look():
        pass
    for number in (1, 2):
        decisions.change(lambda now, number=number: now.add("load", number))
    assert not watcher.look()
    assert watcher.followed == 0
    publish(three, seed=4)
    assert not watcher.look()
    assert store.choose().version == "4"
    while not watcher.look():
        pass
    assert watcher.followed == 2
    assert [loaded.number for loaded in store.loaded()] == [4, 1, 2]


def test_an_unloaded_model_is_loaded_again_when_only_the_pretrained_version_exists(repository, tmp_path):
    publish(repository, seed=1)
    nothing = Repository(str(tmp_path / "nothing"))
    store, decisions = Store(nothing.url), DecisionFile()
    watcher = Watcher(nothing, store, decisions, pretrained=repository.url)
    control = Control(store, watcher, decisions)
    watcher.start(0.02, lambda: None)
    try:
        eventually(store.active)
        asyncio.run(control.unload())
        assert not store.ready()
        asyncio.run(control.load())
        assert store.choose().version == "pretrained"
        asyncio.run(control.unload("pretrained"))
        assert not store.ready()
        with pytest.raises(LoadRefusedError, match="no version can be served"):
            asyncio.run(control.load())
    finally:
        watcher.stop()


@pytest.mark.parametrize("name", ["9", "challenger"])
def test_a_version_that_does_not_exist_is_neither_loaded_nor_unloaded(three, worker, name):
    one = worker()
    eventually(one.store.active)
    for act in (one.load, one.unload):
        with pytest.raises(UnknownVersionError, match=f"no version or alias '{name}' here; ready: 3"):
            act(name)


def test_a_load_returns_once_every_process_has_followed(three, worker):
    workers = [worker() for _ in range(3)]
    for each in workers:
        eventually(each.store.active)
    workers[0].load("1")
    workers[1].unload("2")
    assert [each.store.ready("1") for each in workers] == [True] * 3
    assert [each.state("2")[0] for each in workers] == ["UNAVAILABLE"] * 3


def test_a_process_that_starts_later_follows_earlier_decisions(three, worker):
    first = worker()
    eventually(first.store.active)
    first.unload("3")
    second = worker()
    eventually(second.store.active)
    assert second.store.choose().version == "2"


def test_every_worker_process_of_a_service_follows_at_once(three, folder, tmp_path, start, pixels):
    process = start(
        "serve", "--repository", folder, "--port", 0, "--workers", 2, env={"NUMERAL_RUN_DIR": str(tmp_path)}
    )
    address = process.listening()
    decisions = DecisionFile(tmp_path)
    eventually(lambda: len(decisions.behind(1)) == 2)  # both have started, and nothing was decided yet
    serial = decisions.change(lambda now: now.add("unload", 3, reason="an operator has unloaded it")).serial
    eventually(lambda: not decisions.behind(serial))
    for _ in range(10):  # each connection reaches one process or the other
        with Recognizer(address) as client:
            assert client.recognize(pixels).model_version == "2"


def test_concurrent_decisions_are_all_kept(tmp_path):
    files = [DecisionFile(tmp_path) for _ in range(4)]

    def decide(which: int) -> None:
        for number in range(which * 10 + 1, which * 10 + 11):
            files[which].change(lambda now, number=number: now.add("load", number))

    threads = [threading.Thread(target=decide, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = files[0].read()
    assert (found.serial, found.loads()) == (40, tuple(range(1, 41)))


@pytest.mark.parametrize(
    "content",
    [
        "half of it",
        "[]",
        '{"serial": -1}',
        '{"serial": 1, "versions": []}',
        '{"serial": 1, "versions": {"seven": {"action": "load", "serial": 1}}}',
        '{"serial": 1, "versions": {"7": {"action": "delete", "serial": 1}}}',
    ],
)
def test_an_unreadable_decision_file_leaves_the_earlier_decisions_in_force(tmp_path, caplog, content):
    file = DecisionFile(tmp_path)
    file.change(lambda now: now.add("load", 7))
    assert file.read().loads() == (7,)
    (tmp_path / "control.json").write_text(content)
    assert file.read().loads() == (7,)
    assert "cannot be read" in caplog.text
    assert file.change(lambda now: now.add("load", 8)).loads() == (7, 8)
    assert DecisionFile(tmp_path).read().loads() == (7, 8)


def test_a_decision_file_that_is_far_too_large_is_not_read_whole(tmp_path, caplog):
    file = DecisionFile(tmp_path)
    with (tmp_path / "control.json").open("wb") as huge:
        huge.truncate(6 * 2**30)  # a sparse file
    assert file.read() == Decisions()
    assert "cannot be read" in caplog.text


def test_the_health_of_a_server_says_not_serving_while_the_model_is_unloaded(
    three, folder, tmp_path, serve, connect, monkeypatch
):
    monkeypatch.setenv("NUMERAL_RUN_DIR", str(tmp_path))
    client = connect(serve(folder).address)
    assert client.health() == "SERVING"
    decisions = DecisionFile(tmp_path)
    decisions.change(lambda now: now.close(True))
    eventually(lambda: client.health() == "NOT_SERVING")
    decisions.change(lambda now: now.close(False))
    eventually(lambda: client.health() == "SERVING")
