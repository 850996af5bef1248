"""Labeled pictures that nobody trains on: a folder of people's own handwriting.

    <folder>/7/any.png      pictures of a 7, under any name
    <folder>/7_any.png      likewise

They are framed as served pictures are, for each version in the framing that it was published with.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.digit import LABELS, SIDE
from core.errors import ConfigError, PictureError
from core.imaging import LATEST, PictureLimits, digit_from_bytes
from core.regular_file import concerns_one_file, read_regular, why_unreadable
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
    found: dict[bytes, tuple[int, Path]] = {}
    contradicted: set[bytes] = set()
    for digit, path in _files(folder, say):
        try:
            pixels = _framed(path, LATEST).tobytes()
        except PictureError as error:
            say(f"handwriting ignored: {path}: {error}")
            continue
        except OSError as error:
            if not concerns_one_file(error):
                raise _unreadable(folder, error) from error
            say(f"handwriting ignored: {path}: {why_unreadable(error)}")
            continue
        if found.setdefault(pixels, (digit, path))[0] != digit:
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
    paths = [path for _, path in kept.values()]
    return Pictures(NAME, labels, lambda framing: latest if framing == LATEST else _all_framed(paths, framing))


def _all_framed(paths: Sequence[Path], framing: int) -> NDArray[np.uint8]:
    """All pictures in an earlier framing, (N, 28, 28); one that shows no digit in it, or is gone by now, is blank.

    They are read again, because all of them together may be larger than memory.
    """
    images = np.zeros((len(paths), SIDE, SIDE), np.uint8)
    for image, path in zip(images, paths, strict=True):
        with suppress(PictureError, OSError):
            image[:] = _framed(path, framing)
    return images


def _framed(path: Path, framing: int) -> NDArray[np.uint8]:
    return digit_from_bytes(read_regular(path, PictureLimits().max_bytes), framing=framing)


def _files(folder: Path, say: Callable[[str], None]) -> list[tuple[int, Path]]:
    """The digit and the path of whatever is named as a picture, at most `_MOST`; a folder of a digit may be unreadable.

    Raises:
        ConfigError: The folder itself cannot be read.
    """
    try:
        entries = _entries(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error
    found: list[tuple[int, Path]] = []
    for entry in entries:
        digit, underscore, _ = entry.name.partition("_")
        if digit not in LABELS:
            continue
        if underscore:
            found.append((int(digit), Path(entry.path)))
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                found += [(int(digit), Path(inner.path)) for inner in _entries(Path(entry.path))]
            elif entry.is_symlink():
                say(f"handwriting ignored: {entry.path}: a link, where a folder is expected")
        except OSError as error:
            if not concerns_one_file(error):
                raise _unreadable(folder, error) from error
            say(f"handwriting ignored: {entry.path}: {why_unreadable(error)}")
    if len(found) > _MOST:
        say(f"handwriting: only the first {_MOST:,} of {len(found):,} pictures in {folder} are read")
    return found[:_MOST]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _unreadable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the handwriting folder {folder} cannot be read: {error.strerror or error}; expected pictures named "
        "7/any.png or 7_any.png, or no --handwriting"
    )
