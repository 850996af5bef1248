"""The record of a trial: kept once beside its version, sealed, and no obstacle to anything that knows none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from core.artifact.repository import Repository
from core.artifact.sealed import sealed
from core.artifact.trial import TRIAL, Check, Measured, Trial
from core.errors import ManifestError
from tests.core.artifact.builders import publish
from tests.core.artifact.forbidden import forbid

FIGURES = Measured(ready_seconds=1.5, answered=100, p50_ms=1.0, p99_ms=2.0, memory_mb=90.0)
GOOD = Check(name="start", found="ready after 1.5 s", wanted="ready within 60 s", passed=True)
BAD = Check(name="memory", found="900 MB", wanted="at most 200 MB", passed=False)


def trial(*checks: Check) -> Trial:
    return Trial(
        version=1,
        weights_sha256="a" * 64,
        beside=None,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        pictures=100,
        checks=checks or (GOOD,),
        candidate=FIGURES,
    )


def test_a_record_is_read_as_it_was_stored(repository: Repository):
    publish(repository)
    assert repository.trial(1) is None
    assert repository.record_trial(trial(GOOD, BAD))
    assert repository.trial(1) == trial(GOOD, BAD)


def test_a_snapshot_says_which_versions_have_a_record(repository: Repository):
    publish(repository)
    publish(repository)
    assert repository.snapshot().tried == set()
    repository.record_trial(trial())
    assert repository.snapshot().tried == {1}


def test_of_several_trials_the_last_decides_and_each_record_stays(repository: Repository):
    publish(repository)
    trials = [trial(GOOD), trial(BAD), trial(GOOD, GOOD)]
    for one in trials:
        assert repository.record_trial(one)
        assert repository.trial(1) == one
    log = repository.trials(1)
    assert log.paths() == [f"mnist/1/{name}" for name in (TRIAL, "trial-2.json", "trial-3.json")]
    assert [log.at(path) for path in log.paths()] == trials


def test_the_tenth_trial_comes_after_the_ninth(repository: Repository):
    publish(repository)
    for count in range(10):
        assert repository.record_trial(trial(*[GOOD] * (count + 1)))
    assert repository.trial(1) == trial(*[GOOD] * 10)


def test_two_trials_at_once_are_both_recorded(repository: Repository):
    publish(repository)
    together = Barrier(2)

    def record(one: Trial) -> bool:
        together.wait(60)
        return repository.record_trial(one)

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(record, [trial(GOOD), trial(BAD)]))
    log = repository.trials(1)
    assert {log.at(path) for path in log.paths()} == {trial(GOOD), trial(BAD)}


def test_a_record_with_a_wrong_letter_is_refused(on_disk: Repository, folder):
    publish(on_disk)
    on_disk.record_trial(trial(BAD))
    file = folder / "mnist" / "1" / TRIAL
    file.write_bytes(file.read_bytes().replace(b"900 MB", b"100 MB"))
    with pytest.raises(ManifestError, match=r"mnist/1/trial.json: not the record of a trial: its digest"):
        on_disk.trial(1)


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:-20], lambda data: data.replace(b"900", b"100")])
def test_a_damaged_record_is_set_aside_for_the_next_one(on_disk: Repository, folder, damage):
    publish(on_disk)
    on_disk.record_trial(trial(BAD))
    file = folder / "mnist" / "1" / TRIAL
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    assert on_disk.record_trial(trial(GOOD))
    assert on_disk.trial(1) == trial(GOOD)
    assert file.with_name(f"{TRIAL}.damaged").read_bytes() == damaged


def test_a_record_that_a_newer_numeral_may_have_written_stays(on_disk: Repository, folder):
    publish(on_disk)
    newer = sealed(trial(BAD).model_dump(mode="json") | {"watts": 7})
    (folder / "mnist" / "1" / TRIAL).write_bytes(newer)
    assert on_disk.record_trial(trial(GOOD))
    assert (folder / "mnist" / "1" / TRIAL).read_bytes() == newer


def test_a_record_that_may_not_be_read_stays(on_disk: Repository, folder, monkeypatch: pytest.MonkeyPatch):
    publish(on_disk)
    on_disk.record_trial(trial(BAD))
    allow = forbid(folder / "mnist" / "1" / TRIAL, monkeypatch)
    assert not on_disk.record_trial(trial(GOOD))
    allow()
    assert on_disk.trial(1) == trial(BAD)


def test_a_version_with_a_record_is_as_sound_as_before_and_is_pruned_whole(on_disk: Repository, folder):
    for seed in range(2):
        publish(on_disk, seed)
    on_disk.record_trial(trial())
    assert on_disk.versions() == [1, 2]
    assert on_disk.verify(1).version == 1
    assert not on_disk.snapshot().faults
    assert on_disk.prune(1) == [1]
    assert not list((folder / "mnist").glob("1/*"))


def test_a_record_passes_if_every_check_does_and_says_otherwise_which_do_not():
    assert trial(GOOD).passed
    assert trial(GOOD).words == "the trial of version 1 by a service passed: start: ready after 1.5 s"
    assert not trial(GOOD, BAD).passed
    assert trial(GOOD, BAD).words == (
        "the trial of version 1 by a service failed: memory: 900 MB, expected at most 200 MB"
    )
