"""Labeled pictures that nobody trains on: a folder of people's own handwriting.

    <folder>/7/any.png      pictures of a 7, under any name
    <folder>/7_any.png      likewise

They are framed as served pictures are, for each version in the framing that it was published with.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.digit import LABELS, SIDE
from core.errors import ConfigError, PictureError
from core.imaging import LATEST, PictureLimits, digit_from_bytes
from core.picture_file import read_picture
from pipelines.promotion.slices import Pictures

NAME = "handwriting"

_MOST = 5000
"""Pictures that are read. Framing one takes some milliseconds, and more would hardly make the comparison finer."""


def read(folder: Path, trained_on: Callable[[], frozenset[bytes]], say: Callable[[str], None]) -> Pictures | None:
    """The pictures of a folder, in the order of their paths.

    Left out, with a message: what cannot be read as a picture of a digit, what is no regular file, copies, the same
    picture under two digits, and what the challenger was trained on.

    Args:
        folder: With pictures named as above.
        trained_on: Gives the pixels of each image that trained the challenger; called only if there are pictures.
        say: Receives each message.

    Returns:
        None if no picture is left.

    Raises:
        ConfigError: The folder cannot be read.
    """
    found: dict[bytes, tuple[int, bytes]] = {}
    contradicted: set[bytes] = set()
    for digit, path in _files(folder, say):
        try:
            data = read_picture(path, PictureLimits().max_bytes)
            pixels = digit_from_bytes(data).tobytes()
        except (OSError, PictureError) as error:
            say(f"handwriting ignored: {path}: {getattr(error, 'strerror', None) or error}")
            continue
        if found.setdefault(pixels, (digit, data))[0] != digit:
            contradicted.add(pixels)
            say(f"handwriting ignored: {path}: another file says {found[pixels][0]} of the same picture")
    known = trained_on() if found else frozenset()
    if trained := known & found.keys():
        say(f"handwriting ignored: {len(trained):,} of its pictures are among the training images")
    kept = {pixels: item for pixels, item in found.items() if pixels not in known | contradicted}
    if not kept:
        say(f"handwriting: no picture to compare versions on in {folder}")
        return None
    labels = np.array([digit for digit, _ in kept.values()], np.uint8)
    latest = np.frombuffer(b"".join(kept), np.uint8).reshape(-1, SIDE, SIDE)
    encoded = [data for _, data in kept.values()]
    return Pictures(NAME, labels, lambda framing: latest if framing == LATEST else _framed(encoded, framing))


def _framed(pictures: list[bytes], framing: int) -> NDArray[np.uint8]:
    """All pictures in an earlier framing, (N, 28, 28); one that shows no digit in it is blank."""
    images = np.zeros((len(pictures), SIDE, SIDE), np.uint8)
    for image, data in zip(images, pictures, strict=True):
        with suppress(PictureError):
            image[:] = digit_from_bytes(data, framing=framing)
    return images


def _files(folder: Path, say: Callable[[str], None]) -> Iterator[tuple[int, Path]]:
    """The digit and the path of each file that is named as a picture, at most `_MOST`."""
    found: list[tuple[int, Path]] = []
    for entry in _entries(folder):
        digit, underscore, _ = entry.name.partition("_")
        if digit not in LABELS:
            continue
        if underscore:
            found.append((int(digit), Path(entry.path)))
        elif entry.is_dir(follow_symlinks=False):
            found += [(int(digit), Path(inner.path)) for inner in _entries(Path(entry.path))]
    regular = [(digit, path) for digit, path in found if path.is_file() and not path.is_symlink()]
    if others := len(found) - len(regular):
        say(f"handwriting ignored: {others:,} entries of {folder} that are no regular files")
    if len(regular) > _MOST:
        say(f"handwriting: only the first {_MOST:,} of {len(regular):,} pictures in {folder} are read")
    yield from regular[:_MOST]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigError(
            f"the handwriting folder {folder} cannot be read: {error.strerror or error}; expected pictures named "
            "7/any.png or 7_any.png, or no --handwriting"
        ) from error
