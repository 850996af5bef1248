"""`FramedFiles`: what was read from the files of a folder, kept so that an unchanged file is not framed again.

    <data_dir>/new-data/framed-<folder>     one file for each folder of new data

Finding the digit in a picture takes milliseconds, and so minutes for a hundred thousand of them. The file holds what
the last run has found and nothing else, so it grows and shrinks with the folder. It carries its own digest: what is
damaged, or was written by other code, counts as absent.
"""

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import PIL

from core.digit import PIXELS
from pipelines.new_data.layout import Job
from pipelines.new_data.reading import Reading, Row
from pipelines.provenance import digest_of_sources
from pipelines.references import FileRef

__all__ = ["FramedFiles"]

_SAVED_AFTER = 20_000
"""Newly read files after which all is saved, so that a run that is killed has not worked in vain."""

_DIGEST_BYTES = 32


class FramedFiles:
    """The readings of one folder, by place and stamp."""

    def __init__(self, path: Path) -> None:
        """Load what an earlier run has kept.

        Args:
            path: Where it is kept.
        """
        self._path = path
        self._earlier = _load(path)
        self._found: dict[str, tuple[list[int], Reading]] = {}
        self._unsaved = 0

    def known(self, job: Job) -> Reading | None:
        """What an earlier run has read, if the files have not changed since."""
        stamp, reading = self._earlier.get(job.place, ([], None))
        if reading is None or stamp != job.stamp:
            return None
        self._found[job.place] = (stamp, reading)
        return reading

    def remember(self, job: Job, reading: Reading) -> None:
        """Keep what was read anew."""
        self._found[job.place] = (job.stamp, reading)
        self._unsaved += 1
        if self._unsaved >= _SAVED_AFTER:
            self._save(self._earlier | self._found)

    def save(self) -> None:
        """Keep the readings that were asked for; those of files that are gone are dropped."""
        if self._unsaved or self._found.keys() != self._earlier.keys():
            self._save(self._found)
        elif self._path.exists():
            self._path.touch()  # it is in use: what nobody uses is removed after some time

    def _save(self, readings: dict[str, tuple[list[int], Reading]]) -> None:
        document = {place: _plain(stamp, reading) for place, (stamp, reading) in readings.items()}
        header = json.dumps({"code": _code(), "files": document}).encode()
        pixels = [row.pixels for _, reading in readings.values() for row in reading.rows]
        body = b"".join([len(header).to_bytes(8, "big"), header, *pixels])
        FileRef.store(self._path, hashlib.sha256(body).digest() + body)
        self._unsaved = 0


def _plain(stamp: list[int], reading: Reading) -> list[Any]:
    return [stamp, [[row.number, row.label] for row in reading.rows], reading.faults]


def _load(path: Path) -> dict[str, tuple[list[int], Reading]]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    body = memoryview(data)[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != data[:_DIGEST_BYTES]:
        return {}
    start = 8 + int.from_bytes(body[:8], "big")
    header = json.loads(bytes(body[8:start]))
    if header["code"] != _code():
        return {}
    found: dict[str, tuple[list[int], Reading]] = {}
    for place, (stamp, rows, faults) in header["files"].items():
        starts = range(start, start + PIXELS * len(rows), PIXELS)
        pictures = [
            Row(number, label, bytes(body[at : at + PIXELS])) for (number, label), at in zip(rows, starts, strict=True)
        ]
        start += PIXELS * len(rows)
        found[place] = (stamp, Reading(tuple(pictures), tuple((number, reason) for number, reason in faults)))
    return found


@cache
def _code() -> str:
    """What decides a reading besides the files: another Pillow may decode a JPEG to other bits."""
    sources = digest_of_sources("core/data", "core/imaging", "pipelines/new_data")
    try:
        pyarrow = metadata.version("pyarrow")
    except metadata.PackageNotFoundError:
        pyarrow = "none"
    return f"{sources}, Pillow {PIL.__version__}, pyarrow {pyarrow}"
