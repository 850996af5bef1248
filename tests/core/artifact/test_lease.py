"""The lease of a repository: who may retrain now."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from core.artifact.holder import Holder
from core.artifact.lease import RENEWALS, Grant, Lease
from core.artifact.objects import Objects
from core.errors import LeaseLostError

ROOT = Path(__file__).parents[3]
SECONDS = 60.0
FAR = Holder(host="far", pid=1, machine="another")
NEAR = Holder(host="near", pid=2, machine="a third")


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["disk", "memory"])
def objects(request: pytest.FixtureRequest, folder: Path) -> Objects:
    """The same promises on every kind of store."""
    return Objects(str(folder) if request.param == "disk" else "memory://", writable=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(objects: Objects, clock: Clock) -> Callable[[Holder], Lease]:
    return lambda holder: Lease(objects, "mnist", seconds=SECONDS, holder=holder, clock=clock)


def taken(lease: Lease) -> Grant:
    grant = lease.take()
    assert grant is not None
    return grant


def grow_older(folder: Path, seconds: float) -> None:
    """As if the store's clock had gone on, or jumped, since the entries were written."""
    for entry in (folder / "mnist" / "lease").iterdir():
        found = entry.stat().st_mtime - seconds
        os.utime(entry, (found, found))


def test_only_one_of_two_holds_the_lease_until_it_is_released(lease: Callable[[Holder], Lease]) -> None:
    first = taken(lease(FAR))
    assert lease(NEAR).take() is None
    first.check()
    first.release()
    second = taken(lease(NEAR))
    assert second.token > first.token
    assert lease(FAR).take() is None


def test_the_holder_can_be_named_by_anyone(lease: Callable[[Holder], Lease]) -> None:
    assert lease(NEAR).holder() is None
    assert lease(NEAR).is_free()
    grant = taken(lease(FAR))
    assert not lease(NEAR).is_free()
    found = lease(NEAR).holder()
    assert found is not None
    assert (str(found.holder), found.token, found.since) == ("process 1 on far", grant.token, grant.since)
    grant.release()
    assert lease(NEAR).holder() is None
    assert lease(NEAR).is_free()


def test_a_lease_that_nobody_renews_expires_for_one_who_watches(lease: Callable[[Holder], Lease], clock: Clock) -> None:
    lost, waiting = taken(lease(FAR)), lease(NEAR)
    assert waiting.take() is None
    clock.now += SECONDS - 1
    assert (waiting.take(), waiting.is_free()) == (None, False)
    clock.now += 1
    assert waiting.is_free()
    taken(waiting).check()
    with pytest.raises(LeaseLostError, match="process 2 on near has it since .* changes nothing any more"):
        lost.check()
    with pytest.raises(LeaseLostError):
        lost.renew()
    lost.release()  # a no-op: it does not end the lease of the other
    assert lease(FAR).take() is None


def test_whoever_took_a_lease_over_and_has_released_it_is_said_to_have_done_both(
    lease: Callable[[Holder], Lease], clock: Clock
) -> None:
    lost, waiting = taken(lease(FAR)), lease(NEAR)
    assert waiting.take() is None
    clock.now += SECONDS
    taken(waiting).release()
    with pytest.raises(
        LeaseLostError, match="lost: process 2 on near took it over at .* UTC and has released it; this"
    ):
        lost.check()


def test_a_lease_that_this_run_has_released_is_not_called_taken(lease: Callable[[Holder], Lease]) -> None:
    grant = taken(lease(FAR))
    grant.release()
    with pytest.raises(LeaseLostError, match="lost: this run has released it itself, and changes nothing any more"):
        grant.renew()


def test_a_log_that_was_removed_is_not_called_damaged(lease: Callable[[Holder], Lease], objects: Objects) -> None:
    grant = taken(lease(FAR))
    objects.delete("mnist/lease/000001.json")
    with pytest.raises(LeaseLostError, match=r"lost: its log was removed.*; run again$"):
        grant.check()
    objects.create("mnist/lease/000002.json", b"torn")
    with pytest.raises(LeaseLostError, match=r"lost: the last entry of its log is damaged;.*; run again$"):
        grant.check()


def test_a_lease_that_is_renewed_never_expires(lease: Callable[[Holder], Lease], clock: Clock) -> None:
    grant, waiting = taken(lease(FAR)), lease(NEAR)
    for _ in range(3 * RENEWALS):
        clock.now += SECONDS / RENEWALS
        assert waiting.take() is None
        grant.renew()
    grant.check()


def test_old_entries_are_cleaned_up_while_numbers_only_grow(lease: Callable[[Holder], Lease], objects: Objects) -> None:
    grant = taken(lease(FAR))
    for _ in range(30):
        grant.renew()
    paths = [found.path for found in objects.list("mnist/lease")]
    assert paths == [f"mnist/lease/{number:06d}.json" for number in range(23, 32)]
    grant.release()
    assert taken(lease(NEAR)).token == 33


def test_an_entry_created_behind_the_last_one_grants_nothing(
    lease: Callable[[Holder], Lease], objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = lease(NEAR)
    monkeypatch.setattr(late._log, "last", lambda: monkeypatch.undo())  # None: it is suspended right behind looking
    grant = taken(lease(FAR))
    for _ in range(20):
        grant.renew()
    assert late.take() is None
    grant.check()


def test_an_old_entry_of_the_store_is_taken_over_soon(folder: Path, clock: Clock) -> None:
    def lease(holder: Holder) -> Lease:
        return Lease(Objects(str(folder), writable=True), "mnist", seconds=SECONDS, holder=holder, clock=clock)

    taken(lease(FAR))
    grow_older(folder, 24 * 3600)
    waiting = lease(NEAR)
    assert waiting.take() is None
    clock.now += 2 * SECONDS / RENEWALS
    taken(waiting)
    assert not list((folder / "mnist" / "lease").glob("probe*"))


@pytest.mark.parametrize("jump", [24 * 3600, -24 * 3600], ids=["forward", "back"])
def test_a_clock_that_jumps_takes_no_lease_from_a_living_holder(folder: Path, clock: Clock, jump: float) -> None:
    def lease(holder: Holder) -> Lease:
        return Lease(Objects(str(folder), writable=True), "mnist", seconds=SECONDS, holder=holder, clock=clock)

    grant, waiting = taken(lease(FAR)), lease(NEAR)
    assert waiting.take() is None
    for _ in range(2 * RENEWALS):
        grow_older(folder, jump)
        clock.now += SECONDS / RENEWALS
        assert waiting.take() is None
        grant.renew()
    grant.check()


def test_after_a_clock_jumped_back_a_dead_lease_still_expires(folder: Path, clock: Clock) -> None:
    def lease(holder: Holder) -> Lease:
        return Lease(Objects(str(folder), writable=True), "mnist", seconds=SECONDS, holder=holder, clock=clock)

    taken(lease(FAR))
    grow_older(folder, -365 * 24 * 3600)
    waiting = lease(NEAR)
    assert waiting.take() is None
    clock.now += SECONDS
    taken(waiting)


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff", b"[]"])
def test_a_damaged_last_entry_expires_like_any_other(folder: Path, clock: Clock, garbage: bytes) -> None:
    lease = Lease(Objects(str(folder), writable=True), "mnist", seconds=SECONDS, holder=NEAR, clock=clock)
    entry = folder / "mnist" / "lease" / "000004.json"
    entry.parent.mkdir(parents=True)
    entry.write_bytes(garbage)
    assert (lease.take(), lease.holder()) == (None, None)
    clock.now += SECONDS
    assert taken(lease).token == 5


def test_two_machines_with_one_bucket_take_turns(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        for name, value in {"ENDPOINT": url, "ALLOW_HTTP": "true", "REGION": "us-east-1"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        urllib.request.urlopen(urllib.request.Request(f"{url}/models", method="PUT")).close()

        def lease(holder: Holder) -> Lease:
            return Lease(Objects("s3://models/digits", writable=True), "mnist", holder=holder, seconds=4, clock=clock)

        far, near = lease(FAR), lease(NEAR)
        grant = taken(far)
        assert near.take() is None
        grant.renew()
        grant.release()
        lost = taken(near)
        assert far.take() is None
        clock.now += 2  # watched for as long as a renewal may take; old enough, as the bucket's own clock says
        deadline = time.monotonic() + 60
        while (again := far.take()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        again.check()
        with pytest.raises(LeaseLostError, match="the lease of s3://models/digits was lost: process 1 on far has it"):
            lost.check()
    finally:
        server.stop()


def test_a_folder_in_the_place_of_an_entry_expires_as_well(folder: Path, clock: Clock) -> None:
    lease = Lease(Objects(str(folder), writable=True), "mnist", seconds=SECONDS, holder=NEAR, clock=clock)
    (folder / "mnist" / "lease" / "000007.json").mkdir(parents=True)
    assert lease.take() is None
    clock.now += SECONDS
    grant = taken(lease)
    assert grant.token == 8
    grant.check()


HOLD = """
import sys, time
from core.artifact.repository import Repository
print(Repository(sys.argv[1], writable=True).lease().take().token, flush=True)
time.sleep(600)
"""


def holding(folder: Path) -> "subprocess.Popen[str]":
    """A real process that has the lease."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    return process


def test_the_lease_of_a_killed_process_on_this_machine_is_free_at_once(folder: Path) -> None:
    lease = Lease(Objects(str(folder), writable=True), "mnist")
    with holding(folder) as process:
        try:
            assert lease.take() is None
            entry = lease.holder()
            assert entry is not None
            assert entry.holder.pid == process.pid
        finally:
            process.kill()
        process.wait()
    assert taken(lease).token == 2


def test_many_processes_that_want_the_lease_get_it_one_after_another(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from core.artifact.repository import Repository\n"
        "lease, inside = Repository(sys.argv[1], writable=True).lease(), Path(sys.argv[2])\n"
        "for _ in range(3):\n"
        "    while not (grant := lease.take()):\n"
        "        time.sleep(0.002)\n"
        "    inside.touch(exist_ok=False)\n"
        "    inside.unlink()\n"
        "    grant.release()\n"
    )
    command = [sys.executable, "-c", program, str(folder), str(folder.with_name("inside"))]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        assert process.communicate(timeout=300)[1] == ""
        assert process.returncode == 0
