"""Which version answers which call, and when a version that is replaced is freed."""

import gc
import logging
import threading
import weakref
from collections import Counter
from contextvars import copy_context

import pytest

from core.artifact.repository import Repository
from service.call import canary_key
from service.errors import NotReadyError, UnknownVersionError
from service.versions import memory
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.service.harness import expected
from tests.service.tiny_model import damage, publish, weights_file


@pytest.fixture
def served(folder):
    """A store that follows `folder`, one look at a time: `store, look = served(wishes)`."""

    def begin(wishes: Wishes):
        repository = Repository(str(folder))
        store = Store(repository.url, wishes)
        return store, Watcher(repository, store).look

    return begin


@pytest.fixture
def four(repository):
    """Champion 2, challenger 3, and versions 1 and 4, which were not promoted."""
    for seed in (1, 2, 3, 4):
        publish(repository, seed=seed, promote=seed == 2)
    repository.promote(3, by="tests", why="to be tried", alias="challenger")
    return repository


def test_several_versions_answer_side_by_side_each_by_its_own_numbers(four, served, pixels):
    store, look = served(Wishes(also=("1", "challenger")))
    look()
    for wanted, version in [("", 2), ("champion", 2), ("2", 2), ("1", 1), ("challenger", 3), ("3", 3)]:
        loaded = store.choose(wanted)
        assert loaded.number == version
        assert tuple(loaded.predictor.probabilities(pixels[None])[0].tolist()) == expected(four, version, pixels)


@pytest.mark.parametrize(
    ("policy", "version"), [("champion", "2"), ("challenger", "3"), ("latest", "4"), ("pinned:1", "1")]
)
def test_a_call_that_names_no_version_is_answered_by_the_policy(four, served, policy, version):
    store, look = served(Wishes(policy))
    look()
    assert store.choose().version == version


def test_latest_follows_what_is_published_and_passes_over_what_is_damaged(four, served, repository, folder):
    store, look = served(Wishes("latest"))
    look()
    publish(repository, seed=5, promote=False)
    publish(repository, seed=6, promote=False)
    damage(weights_file(folder, 6))
    look()
    assert store.choose().version == "5"


def test_a_pinned_version_stays_whatever_is_promoted_and_has_no_stand_in(four, served, folder):
    damage(weights_file(folder, 1))
    store, look = served(Wishes("pinned:1"))
    look()
    assert not store.ready()


def test_an_alias_that_moves_to_a_damaged_version_keeps_its_sound_one(four, served, repository, folder):
    store, look = served(Wishes(also=("challenger",)))
    look()
    damage(weights_file(folder, 4))
    repository.alias("challenger").promote(4, by="tests", why="better")
    look()
    assert store.choose("challenger").version == "3"
    assert store.choose().version == "2"


def test_a_version_that_is_not_loaded_is_not_ready_and_a_missing_one_is_unknown(four, served):
    store, look = served(Wishes())
    look()
    for wanted in ("3", "challenger"):
        assert store.ready(wanted) is False
        with pytest.raises(NotReadyError, match="version 3 is not ready: not selected by the serving policy"):
            store.choose(wanted)
    for wanted in ("5", "nobody", "03x", "-1", "²", "02", "２", "2" * 4301):
        with pytest.raises(UnknownVersionError, match="ready: 2") as unknown:
            store.ready(wanted)
        assert len(str(unknown.value)) < 120


def test_a_version_has_the_aliases_that_lead_to_it_and_a_stand_in_the_policys(four, served, folder):
    store, look = served(Wishes(also=("challenger",)))
    damage(weights_file(folder, 2))
    look()
    assert store.names(store.choose()) == ("champion",)
    assert store.choose("champion").version == "1", "the champion itself is damaged"
    assert store.names(store.choose("3")) == ("challenger",)
    store, look = served(Wishes("latest", also=("challenger",)))
    look()
    assert store.names(store.choose()) == ()


def test_the_index_lists_every_version_with_its_state_reason_and_aliases(four, served, folder):
    damage(weights_file(folder, 1))
    store, look = served(Wishes(also=("1",)))
    look()
    states = {each.version: (each.state, each.aliases) for each in store.index()}
    assert states == {
        "1": ("UNAVAILABLE", ()),
        "2": ("READY", ("champion",)),
        "3": ("UNAVAILABLE", ("challenger",)),
        "4": ("UNAVAILABLE", ()),
    }
    reasons = {each.version: each.reason for each in store.index()}
    assert "weights.safetensors" in reasons["1"]
    assert reasons["2"] == ""
    assert "not selected by the serving policy" in reasons["3"]


def test_while_a_version_is_loading_the_index_says_so_and_the_one_before_answers(four, folder):
    seen = []

    class Peeking(Repository):
        """Looks at the index while weights are being read."""

        def read(self, manifest, *arguments):
            states = {each.version: each.state for each in store.index()}
            seen.append((states.get(str(manifest.version)), store.ready(str(manifest.version)), store.ready()))
            return super().read(manifest, *arguments)

    store = Store(str(folder))
    look = Watcher(Peeking(str(folder)), store).look
    look()
    four.promote(4, by="tests", why="better")
    look()
    assert seen == [("LOADING", False, False), ("LOADING", False, True)]


def test_an_alias_of_a_missing_version_leads_nowhere_and_the_index_says_why(four, served):
    four.alias().promote(9, by="tests", why="a slip")
    store, look = served(Wishes())
    look()
    with pytest.raises(UnknownVersionError):
        store.choose("9")
    assert {each.version: each.reason for each in store.index()}["9"].startswith("mnist has no version 9; known: 1")


def chosen_for(store, key):
    with_key = copy_context()
    with_key.run(canary_key.set, key)
    return with_key.run(store.choose).version


def test_a_canary_answers_its_share_of_the_calls_and_a_key_always_the_same_way(four, served):
    store, look = served(Wishes.parse("champion", canary="challenger:10%"))
    look()
    counted = Counter(store.choose().version for _ in range(1000))
    assert 98 <= counted["3"] <= 102
    by_key = {key: chosen_for(store, key) for key in map(str, range(1000))}
    assert 70 <= Counter(by_key.values())["3"] <= 130
    assert all(chosen_for(store, key) == version for key, version in by_key.items())
    assert {store.choose("champion").version for _ in range(50)} == {"2"}, "a call that names a version gets it"


def test_a_refused_version_is_read_again_only_after_its_own_bytes_have_changed(four, repository, folder):
    reads = []

    class Counting(Repository):
        def read(self, manifest, *arguments):
            reads.append(manifest.version)
            return super().read(manifest, *arguments)

    counting = Counting(str(folder))
    look = Watcher(counting, Store(counting.url)).look
    look()
    publish(repository, seed=5, promote=False)
    sound = damage(weights_file(folder, 5))
    repository.alias().promote(5, by="tests", why="better")
    look()
    publish(repository, seed=6, promote=False)
    look()
    look()
    assert reads == [2, 5]
    weights_file(folder, 5).write_bytes(sound)
    look()
    assert reads == [2, 5, 5]


def test_a_replaced_version_is_freed_after_its_last_call_and_not_before(four, served, pixels, caplog):
    gc.collect()  # what earlier tests have left
    caplog.set_level(logging.DEBUG)
    store, look = served(Wishes())
    look()
    call = [store.choose()]
    loaded, network = weakref.ref(call[0]), weakref.ref(call[0].predictor)
    four.promote(4, by="tests", why="better")
    look()
    gc.collect()
    assert loaded() is not None
    assert tuple(call[0].predictor.probabilities(pixels[None])[0].tolist()) == expected(four, 2, pixels)
    assert "version 2 is freed" not in caplog.text
    call.clear()
    gc.collect()
    assert loaded() is network() is None
    assert "version 2 is freed: its last call has ended" in caplog.text


def test_swaps_under_calls_fail_no_call_and_leave_one_version_in_memory(repository, served, pixels):
    versions = [publish(repository, seed=seed) for seed in range(6)]
    store, look = served(Wishes())
    look()
    right = {str(version): expected(repository, version, pixels) for version in versions}
    stop, wrong, seen = threading.Event(), [], [Counter() for _ in range(2)]

    def call(counter: Counter) -> None:
        while not stop.is_set():
            try:
                loaded = store.choose()
                found = tuple(loaded.predictor.probabilities(pixels[None])[0].tolist())
                counter[loaded.version] += 1
                if found != right[loaded.version]:
                    wrong.append(loaded.version)
            except Exception as error:  # noqa: BLE001 — any error is a failed call
                wrong.append(error)

    callers = [threading.Thread(target=call, args=(counter,)) for counter in seen]
    for caller in callers:
        caller.start()
    alive = []
    for turn in range(24):
        repository.alias().promote(versions[turn % 6], by="tests", why="again and again")
        look()
        assert store.choose().number == versions[turn % 6]
        alive.append(weakref.ref(store.choose()))
    stop.set()
    for caller in callers:
        caller.join()
    assert not wrong
    assert all(set(counter) <= set(right) and sum(counter.values()) > 0 for counter in seen)
    gc.collect()
    assert {id(reference()) for reference in alive if reference()} == {id(store.choose())}


# memory


def test_a_version_that_does_not_fit_is_loaded_once_there_is_room(four, served, monkeypatch, caplog):
    store, look = served(Wishes())
    look()
    four.promote(4, by="tests", why="better")
    monkeypatch.setattr(memory, "left", lambda: 10 * 1024 * 1024)
    look()
    look()
    assert store.choose().version == "2"
    assert caplog.text.count("are left; raise the limit") == 1
    reason = next(each.reason for each in store.index() if each.version == "4")
    assert reason.startswith("mnist 4: takes up to 32 MB while it is loaded, and 10 MB are left")
    monkeypatch.undo()
    look()
    assert store.choose().version == "4"


@pytest.mark.parametrize(
    ("situation", "files", "left"),
    [
        ("the machine alone", {"proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 5 kB\n"}, 5 * 1024),
        (
            "a container's limit, version 2",
            {
                "proc/meminfo": "MemAvailable: 5000 kB\n",
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "9000\n",
                "sys/fs/cgroup/memory.current": "8000\n",
                "sys/fs/cgroup/memory.stat": "active_file 70\ninactive_file 500\n",
            },
            1500,
        ),
        (
            "a group within one that is smaller, version 2",
            {
                "proc/self/cgroup": "0::/outer/inner\n",
                "sys/fs/cgroup/outer/inner/memory.max": "max\n",
                "sys/fs/cgroup/outer/inner/memory.current": "100\n",
                "sys/fs/cgroup/outer/memory.max": "1000\n",
                "sys/fs/cgroup/outer/memory.current": "400\n",
            },
            600,
        ),
        (
            "version 1, whose path is that of the machine outside",
            {
                "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/abc\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "900\n",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 50\n",
            },
            150,
        ),
        ("another system", {}, None),
    ],
)
def test_the_memory_left_is_the_least_that_the_machine_and_its_groups_have(tmp_path, situation, files, left):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.left(tmp_path) == left
