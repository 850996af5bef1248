"""The record of a trial: kept once beside its version, sealed, and no obstacle to anything that knows none."""

from datetime import UTC, datetime

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


def test_the_first_record_of_a_trial_stays(repository: Repository):
    publish(repository)
    repository.record_trial(trial(BAD))
    assert not repository.record_trial(trial(GOOD))
    assert repository.trial(1) == trial(BAD)


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
    assert not on_disk.record_trial(trial(GOOD))
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
