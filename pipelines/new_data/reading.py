"""`Reading`: what was read from one file, or from a pair of them. It is a pure function of the bytes and the label."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.digit import LABELS, SIDE
from core.errors import PictureError
from core.imaging import as_framed, digit_from_bytes, from_array
from pipelines.new_data.item import NewItem, SetAside

__all__ = ["Reading", "Row"]


@dataclass(frozen=True)
class Row:
    """One labeled picture.

    Attributes:
        number: Which row of a table or an IDX file it is, from 0; None if the file is the picture.
        label: 0 to 9.
        pixels: 784 bytes: the picture as the network sees it.
    """

    number: int | None
    label: int
    pixels: bytes


@dataclass(frozen=True)
class Reading:
    """What was found.

    Attributes:
        rows: The pictures, in the order of their numbers.
        faults: What could not be read: the number of a row, or None for the file as a whole; and the reason.
    """

    rows: tuple[Row, ...] = ()
    faults: tuple[tuple[int | None, str], ...] = ()

    @classmethod
    def fault(cls, reason: str) -> Self:
        """Of a file of which nothing can be read."""
        return cls(faults=((None, reason),))

    @classmethod
    def of(cls, given: Iterable[tuple[int | None, Any, bytes | NDArray[Any]]]) -> Self:
        """Frame pictures as the service frames those that it is sent.

        Args:
            given: For each, its number, its label, and an encoded picture or an array (H, W). An array of 28×28 is
                taken for a framed picture, as the service takes one; any other is searched for its digit.

        Raises:
            MemoryError: There is not enough memory at the moment, which says nothing about the pictures.
        """
        rows: list[Row] = []
        faults: list[tuple[int | None, str]] = []
        for number, label, picture in given:
            if label not in range(len(LABELS)):
                faults.append((number, f"its label is {label!r}, expected a digit from 0 to 9"))
                continue
            try:
                digit = _framed(picture)
            except PictureError as error:
                if isinstance(error.__cause__, MemoryError):
                    raise error.__cause__ from error
                faults.append((number, str(error)))
            else:
                rows.append(Row(number, int(label), digit.tobytes()))
        return cls(tuple(rows), tuple(faults))

    def items(self, source: str, place: str) -> Iterator[NewItem | SetAside]:
        """The pictures as items, and the faults as what is set aside.

        Args:
            source: See `NewItem`.
            place: The path of the file.
        """
        for row in self.rows:
            yield NewItem.of(row.pixels, row.label, source, _place(place, row.number))
        for number, reason in self.faults:
            yield SetAside(source, _place(place, number), reason)


def _framed(picture: bytes | NDArray[Any]) -> NDArray[np.uint8]:
    if isinstance(picture, bytes):
        return digit_from_bytes(picture)
    if picture.shape == (SIDE, SIDE):
        framed: NDArray[np.uint8] = as_framed(picture[np.newaxis])[0]
        return framed
    return from_array(picture)


def _place(path: str, number: int | None) -> str:
    return path if number is None else f"{path}[{number}]"
