"""From the names of files to what is read from them: a pure function, so that the rules are a table.

    7/any.png, 7/writer-3/any.png       a picture of a 7: the nearest folder that is named after a digit says so
    7_any.png, any/7_any.png            a picture of a 7, where no folder says so
    train-images-idx3-ubyte[.gz]        images whose labels are in train-labels-idx1-ubyte[.gz]
    any.parquet                         a table with the columns `image` and `label`

Every picture format that the service reads is read; the content decides which it is, never the name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import NamedTuple

from pipelines.new_data.survey import FoundFile

__all__ = ["Form", "Job", "Planned", "plan"]

_IDX = re.compile(r"(?=.*(images|labels))[^.]*(\.[^.]*(idx|ubyte)[^.]*)?", re.IGNORECASE)
_NAMED = re.compile(r"([0-9])_.+")

_EXPECTED = "expected 7/any.png or 7_any.png for a picture of a 7, a pair of IDX files, or a .parquet file"


class Form(Enum):
    """In which form labeled pictures are given."""

    PICTURE = "picture"
    IDX = "idx"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Job:
    """Some files that are read together.

    Attributes:
        form: What is in them.
        files: One; or two, images and labels of IDX.
        label: The digit that a picture shows; None where the files themselves say it.
    """

    form: Form
    files: tuple[FoundFile, ...]
    label: int | None = None

    @property
    def place(self) -> str:
        """What people call it: the path of the first file."""
        return self.files[0].path

    @property
    def stamp(self) -> list[int]:
        """What changes when one of the files does."""
        return [number for file in self.files for number in file.stamp]


class Planned(NamedTuple):
    """What to read, and what is not understood.

    Attributes:
        jobs: In the order of their places.
        faults: By path, with the reason.
    """

    jobs: list[Job]
    faults: dict[str, str]


def plan(files: Iterable[FoundFile]) -> Planned:
    """Tell by the names what is in each file."""
    jobs: list[Job] = []
    faults: dict[str, str] = {}
    pairs: dict[str, dict[str, FoundFile]] = {}
    for file in sorted(files, reverse=True):  # so that a plain file comes after its .gz, and takes its place
        path = PurePosixPath(file.path)
        if path.suffix.lower() == ".parquet":
            jobs.append(Job(Form.PARQUET, (file,)))
        elif _IDX.fullmatch(_unzipped(path.name)):
            part = "images" if "images" in path.name.lower() else "labels"
            pairs.setdefault(_pair(file.path), {})[part] = file
        elif (label := _label(path)) is not None:
            jobs.append(Job(Form.PICTURE, (file,), label))
        else:
            faults[file.path] = f"it is not clear which digit it shows; {_EXPECTED}"
    for pair in pairs.values():
        if len(pair) == 2:
            jobs.append(Job(Form.IDX, (pair["images"], pair["labels"])))
        else:
            [(part, file)] = pair.items()
            other = "labels" if part == "images" else "images"
            faults[file.path] = f"IDX {part} without {other}, expected {_other(file.path)} as well"
    return Planned(sorted(jobs, key=lambda job: job.place), faults)


def _label(path: PurePosixPath) -> int | None:
    """The digit that a picture shows according to the nearest folder that is named after one, else to its own name."""
    folder = next((part for part in reversed(path.parent.parts) if re.fullmatch("[0-9]", part)), None)
    named = _NAMED.fullmatch(path.name)
    label = folder or (named[1] if named else None)
    return None if label is None else int(label)


def _unzipped(path: str) -> str:
    return path[:-3] if path.lower().endswith(".gz") else path


def _pair(path: str) -> str:
    """What the paths of images and of their labels have in common; the folders may be named like the files."""
    return _unzipped(path).lower().replace("images", "labels").replace("idx3", "idx1")


def _other(path: str) -> str:
    """The path of what belongs to a file of images or labels."""
    swaps = {"images": "labels", "labels": "images", "idx3": "idx1", "idx1": "idx3"}
    return re.sub("|".join(swaps), lambda found: swaps[found[0].lower()], path, flags=re.IGNORECASE)
