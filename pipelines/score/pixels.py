"""The items of a part → images as the network sees them, or why one has none.

A picture is decoded and framed as the service does it for the same version, and IDX images are taken as the service
takes `pixels`: each for itself, on any scale and of either polarity.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.digit import PIXELS, SIDE
from core.errors import NoDigitError, PictureError
from core.imaging import PictureLimits, as_framed, digit_from_bytes, from_pixels
from core.regular_file import IrregularFileError, LargeFileError, concerns_one_file, read_regular
from pipelines.score.input_files import Content
from pipelines.score.part import InputChangedError, Part
from pipelines.score.picture_table import pictures_of

__all__ = ["Refusal", "Seen", "pixels_of"]

_LIMITS = PictureLimits()


@dataclass(frozen=True)
class Refusal:
    """Why an item has no image.

    Attributes:
        reason: In words.
        readable: Whether it is a picture, but shows no single digit.
    """

    reason: str
    readable: bool = False

    @classmethod
    def of(cls, error: PictureError) -> "Refusal":
        """From the error of decoding or framing."""
        said = str(error)
        if not isinstance(error, NoDigitError):
            return cls(f"unreadable: {said}")
        if "side by side" in said:
            return cls(f"shows several digits: {said}", readable=True)
        return cls(said if said.startswith("no digit found") else f"no digit found: {said}", readable=True)


@dataclass(frozen=True, eq=False)
class Seen:
    """What there is to see in a part.

    Attributes:
        items: What each of its N items is called in the rows.
        images: uint8 (M, 28, 28), of those items that have one.
        refusals: The others, by their place, 0 to N - 1.
    """

    items: list[str]
    images: NDArray[np.uint8]
    refusals: dict[int, Refusal]


def pixels_of(part: Part, framing: int) -> Seen:
    """Read, decode and frame a part.

    Args:
        part: Which items.
        framing: The framing of the version, see `core.imaging`.

    Raises:
        InputChangedError: One of its files is no longer the one that was found at the beginning.
        OSError: The storage has failed.
    """
    if part.content is Content.IDX:
        return _checked(part, lambda: _idx(part))
    if part.content is Content.PARQUET:
        pictures = pictures_of(part.path, part.column, part.group, part.start, part.count)
        return _checked(part, lambda: _framed(_numbers(part), pictures, framing))
    return _framed([_text(file.path) for file in part.files], _files(part), framing)


def _checked(part: Part, read: Callable[[], Seen]) -> Seen:
    """What is read of one file, which must be the same before and after."""
    part.files[0].check(part.base)
    seen = read()
    part.files[0].check(part.base)
    return seen


def _idx(part: Part) -> Seen:
    # Read, and not mapped into memory: a file that is cut short meanwhile is an error, where a map would end the
    # process; and what was read before does not count as this process's memory.
    flat = np.fromfile(part.unpacked or part.path, np.uint8, part.count * PIXELS, offset=part.start)
    if flat.size < part.count * PIXELS:
        raise InputChangedError(f"{part.files[0].path}: ends within {part}; it was cut short while it was being read")
    images = flat.reshape(-1, SIDE, SIDE)
    try:
        if images.max(axis=(1, 2)).min() > 1:  # the scale of each is certain by itself
            return Seen(_numbers(part), as_framed(images), {})
    except PictureError:
        pass  # one of them has no digit: which?
    return _framed_alone(part, images)


def _framed_alone(part: Part, images: NDArray[np.uint8]) -> Seen:
    """The same one by one, which is slower and says which images show nothing."""
    found, refusals = [], {}
    for place, image in enumerate(images):
        try:
            found.append(from_pixels(image.tobytes()))
        except PictureError as error:
            refusals[place] = Refusal.of(error)
    return Seen(_numbers(part), _stacked(found), refusals)


def _framed(items: list[str], pictures: Iterator[bytes | str], framing: int) -> Seen:
    """Encoded pictures, or why there is none. Of files, one is in memory at a time; of a table, a batch of rows."""
    found, refusals = [], {}
    for place, picture in enumerate(pictures):
        if isinstance(picture, str):
            refusals[place] = Refusal(f"unreadable: {picture}")
            continue
        try:
            found.append(digit_from_bytes(picture, limits=_LIMITS, framing=framing))
        except PictureError as error:
            refusals[place] = Refusal.of(error)
    return Seen(items, _stacked(found), refusals)


def _files(part: Part) -> Iterator[bytes | str]:
    """The bytes of each picture file; or why they cannot be had."""
    for file in part.files:
        file.check(part.base)
        try:
            picture: bytes | str = read_regular(Path(part.base, file.path), _LIMITS.max_bytes, follow=True)
        except LargeFileError:
            picture = f"{file.size:,} bytes, at most {_LIMITS.max_bytes:,} are accepted; save it smaller or as JPEG"
        except IrregularFileError as error:
            picture = f"{error.strerror}, expected a file"
        except OSError as error:
            if not concerns_one_file(error):
                raise
            picture = str(error.strerror or error)
        file.check(part.base)
        yield picture


def _numbers(part: Part) -> list[str]:
    return [str(number) for number in range(part.first, part.first + part.count)]


def _stacked(images: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(images) if images else np.empty((0, SIDE, SIDE), np.uint8)


def _text(path: str) -> str:
    """A path as text of any table: names of files need not be text."""
    return os.fsencode(path).decode("utf-8", "replace")
