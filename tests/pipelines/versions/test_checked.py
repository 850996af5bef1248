"""Which manifests were found intact is remembered, and never makes a damaged one look sound."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.artifact.repository import Repository
from pipelines.versions.checked import MOST, remembered
from pipelines.versions.summary import rows
from tests.core.artifact.builders import publish
from tests.core.artifact.trials import failed_trial


@pytest.fixture
def store(tmp_path: Path) -> Repository:
    """Three versions."""
    repository = Repository(str(tmp_path / "models"), writable=True)
    for seed in (1, 2, 3):
        publish(repository, seed)
    return repository


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where it is remembered; not there yet."""
    return tmp_path / "home" / ".cache" / "numeral"


def listed(store: Repository, cache: Path | None) -> list[dict[str, Any]]:
    with remembered(cache) as known:
        return rows(store, store.snapshot(), checked=known)


def held(cache: Path) -> set[bytes]:
    with remembered(cache) as known:
        return set(known)


def digest_of(store: Repository, version: int) -> bytes:
    return hashlib.sha256(store.raw_manifest(version) or b"").digest()


def a_digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def flip(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


def test_a_list_remembers_which_manifests_are_intact_and_says_the_same_again(store: Repository, cache: Path) -> None:
    at_first = listed(store, cache)
    assert held(cache) == {digest_of(store, version) for version in (1, 2, 3)}
    assert listed(store, cache) == at_first == listed(store, None)


def test_a_manifest_with_the_very_bytes_of_an_intact_one_is_not_checked_again(
    store: Repository, tmp_path: Path
) -> None:
    manifest, cache = tmp_path / "models/mnist/2/manifest.json", tmp_path / "cache"
    manifest.write_bytes(manifest.read_bytes().replace(b'"tiny"', b'"wide"'))  # its own digest is another
    assert listed(store, cache)[1]["state"] == "damaged"
    with remembered(cache) as known:
        known.add(digest_of(store, 2))
    assert listed(store, cache)[1]["recipe"] == "wide"


@pytest.mark.parametrize("place", [*range(40, 2000, 245), -300, -40, -2])
def test_a_flipped_bit_in_a_manifest_that_was_listed_before_is_reported(
    place: int, store: Repository, cache: Path, tmp_path: Path
) -> None:
    listed(store, cache)
    flip(tmp_path / "models/mnist/2/manifest.json", place)
    found = listed(store, cache)
    assert [row["state"] for row in found] == ["sound", "damaged", "sound"]
    assert found == listed(store, None)


def test_a_manifest_that_vanishes_or_moves_after_it_was_listed_is_missed(
    store: Repository, cache: Path, tmp_path: Path
) -> None:
    store.promote(2, by="a test", why="it is named then")
    listed(store, cache)
    folder = tmp_path / "models/mnist"
    (folder / "3/manifest.json").write_bytes((folder / "2/manifest.json").read_bytes())
    (folder / "2/manifest.json").unlink()
    assert [(row["version"], row["state"]) for row in listed(store, cache)] == [
        (1, "sound"),
        (2, "dangling"),
        (3, "damaged"),
    ]


def test_a_trial_that_fails_after_a_version_was_listed_is_seen(store: Repository, cache: Path) -> None:
    listed(store, cache)
    store.record_trial(failed_trial(2))
    assert [row["state"] for row in listed(store, cache)] == ["sound", "rejected", "sound"]


def test_what_was_listed_of_a_store_of_objects_is_remembered_as_of_a_folder(cache: Path) -> None:
    store = Repository("memory://", writable=True)
    for seed in range(40):  # more than are read at once
        publish(store, seed)
    at_first = listed(store, cache)
    assert len(held(cache)) == 40
    assert listed(store, cache) == at_first


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def with_a_flipped_bit(file: Path) -> None:
    flip(file, len(file.read_bytes()) // 2)


def overgrown(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(2**33)


def a_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


@pytest.mark.parametrize("damage", [emptied, truncated, with_a_flipped_bit, overgrown, a_fifo, a_link])
def test_a_damaged_file_is_ignored_and_replaced(damage: Callable[[Path], None], store: Repository, cache: Path) -> None:
    at_first, sound = listed(store, cache), held(cache)
    damage(cache / "checked-documents")
    assert held(cache) == set()
    assert listed(store, cache) == at_first
    assert held(cache) == sound


@pytest.mark.parametrize(("ours", "other"), [(b"numeral ", b"numeral 99."), (b" documents ", b" documents 9")])
def test_what_another_release_or_format_has_written_is_ignored_and_replaced(
    ours: bytes, other: bytes, store: Repository, cache: Path
) -> None:
    listed(store, cache)
    file, sound = cache / "checked-documents", held(cache)
    head, end, rest = file.read_bytes().partition(b"\n")
    kept = head.replace(ours, other) + end + rest[:-32]
    file.write_bytes(kept + hashlib.sha256(kept).digest())
    assert held(cache) == set()
    listed(store, cache)
    assert held(cache) == sound


def test_a_list_is_complete_where_nothing_can_be_remembered(store: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "cache/checked-documents").mkdir(parents=True)
    expected = listed(store, None)
    for folder in (tmp_path / "file", tmp_path / "file/numeral", Path("/proc/numeral"), tmp_path / "cache"):
        assert listed(store, folder) == expected
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["checked-documents"], (
        "nothing is left half written"
    )


def test_of_too_many_the_ones_that_were_added_last_are_kept(cache: Path) -> None:
    for numbers in (range(3), range(3, MOST), range(MOST, MOST + 3)):
        with remembered(cache) as known:
            known.update(map(a_digest, numbers))
    found = held(cache)
    assert len(found) == MOST
    assert set(map(a_digest, range(3, MOST + 3))) == found


def test_a_file_that_a_killed_process_left_unfinished_is_removed(store: Repository, cache: Path) -> None:
    cache.mkdir(parents=True)
    abandoned, in_progress = (cache / f".checked-documents.{name}.tmp" for name in ("abandoned", "in-progress"))
    for file in (abandoned, in_progress):
        file.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    listed(store, cache)
    assert not abandoned.exists()
    assert in_progress.exists(), "another process may be writing it at this moment"


ADDS = """
import sys
from hashlib import sha256
from pathlib import Path
from pipelines.versions.checked import remembered
folder, first = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, first + 20):
    with remembered(folder) as known:
        assert sha256(b"0").digest() in known
        known.add(sha256(str(number).encode()).digest())
"""


def test_eight_processes_may_add_at_once_and_the_file_is_whole_at_any_moment(cache: Path) -> None:
    with remembered(cache) as known:
        known.add(a_digest(0))
    command = [sys.executable, "-c", ADDS, str(cache)]
    processes = [
        subprocess.Popen([*command, str(100 * number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(1, 9)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n")
    assert [process.returncode for process in processes] == [0] * 8
    found = held(cache)
    assert found <= {a_digest(number) for number in (0, *(100 * n + k for n in range(1, 9) for k in range(20)))}
    assert a_digest(0) in found
    assert [path.name for path in cache.iterdir()] == ["checked-documents"]
