"""New data to read: digits of MNIST that are not in the small data set of the tests, as files."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.data import idx
from core.shipped import ROOT
from pipelines.new_data.collected import Collected, collect
from pipelines.new_data.item import NewItem, SetAside
from pipelines.new_data.reviews import Decisions


@cache
def _images() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    folder = ROOT / "data" / "mnist"
    return idx.read(folder / "t10k-images-idx3-ubyte.gz"), idx.read(folder / "t10k-labels-idx1-ubyte.gz")


def digit(number: int) -> NDArray[np.uint8]:
    """One of MNIST's digits, (28, 28), beyond those of the small data set."""
    return _images()[0][1000 + number]


def label(number: int) -> int:
    """What it shows."""
    return int(_images()[1][1000 + number])


def save(number: int, path: Path) -> Path:
    """The digit as a picture; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(digit(number)).save(path)
    return path


def save_pair(numbers: range, folder: Path, name: str = "some", suffix: str = "") -> None:
    """The digits as a pair of IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    idx.write(folder / f"{name}-images-idx3-ubyte{suffix}", np.stack([digit(n) for n in numbers]))
    idx.write(folder / f"{name}-labels-idx1-ubyte{suffix}", np.array([label(n) for n in numbers], np.uint8))


def item(number: int, shows: int | None = None, source: str = "extra /new", place: str = "a") -> NewItem:
    """The digit as an item."""
    return NewItem.of(digit(number).tobytes(), label(number) if shows is None else shows, source, place)


def collected(*found: NewItem | SetAside, decided: Decisions = Decisions()) -> Collected:  # noqa: B008 — frozen
    """These alone, with nothing known."""
    sources = list(dict.fromkeys(each.source for each in found))
    return collect(found, sources, lambda images: np.zeros(len(images), bool), decided)


def pixels(items: Iterable[NewItem | SetAside]) -> list[bytes]:
    return [each.image.tobytes() for each in items if isinstance(each, NewItem)]
