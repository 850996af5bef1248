"""What the header of an encoded picture announces: its kind and its size, without decoding anything.

Pillow can open a picture lazily as well, but reads on until it meets the first pixels, and a hostile file can make that
arbitrarily long. Here the number of steps is bounded, whatever the bytes are, so that a server may look at a header
where nothing else may wait. `decode` is still the judge of what is a picture: this is good for estimates alone.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Announced", "announced"]

MOST_SEGMENTS = 256
"""Segments of a JPEG that are passed over in search of its frame; photos have some twenty before it."""

MOST_ENTRIES = 64
"""Entries of a TIFF's directory that are looked at; they are sorted, and those of interest come first."""

BOXES_BYTES = 4096
"""Bytes of an AVIF in which its size is looked for."""

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""PNG's color type → samples per pixel (PNG specification, table 11.1)."""

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""The markers of a JPEG that begin a frame (ITU T.81, table B.1)."""

_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})

_PPM = re.compile(rb"P([1-6f])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s")


class Announced(NamedTuple):
    """The header of a picture.

    Attributes:
        kind: Its format: "PNG", "JPEG", … as Pillow names it; "progressive JPEG" for those.
        width: In pixels.
        height: In pixels.
        samples: Bytes that one pixel takes once it is decoded.
    """

    kind: str
    width: int
    height: int
    samples: int

    @property
    def pixels(self) -> int:
        """Width × height."""
        return self.width * self.height


def announced(data: bytes) -> Announced | None:
    """The header of an encoded picture; None if these bytes are no picture that `decode` reads, or a broken header."""
    for place, magic, read in _KINDS:
        if data.startswith(magic, place):
            try:
                found = read(data)
            except (struct.error, IndexError, ValueError):  # the file ends within its header
                return None
            return found if found and found.width > 0 and found.height > 0 else None
    return None


def _png(data: bytes) -> Announced:
    width, height, depth, color = struct.unpack_from(">IIBB", data, 16)
    return Announced("PNG", width, height, _SAMPLES.get(color, 4) * (2 if depth == 16 else 1))


def _jpeg(data: bytes) -> Announced | None:
    place = 2
    for _ in range(MOST_SEGMENTS):
        place = data.index(b"\xff", place) if data[place] != 0xFF else place
        marker = data[place + 1]
        if marker in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, place + 5)
            return Announced("progressive JPEG" if marker in _PROGRESSIVE else "JPEG", width, height, components)
        if marker == 0xFF:  # a filling byte
            place += 1
        else:
            (length,) = struct.unpack_from(">H", data, place + 2)
            place += 2 + length
    return None


def _gif(data: bytes) -> Announced:
    width, height = struct.unpack_from("<HH", data, 6)
    return Announced("GIF", width, height, 1)


def _bmp(data: bytes) -> Announced:
    if struct.unpack_from("<I", data, 14) == (12,):  # the header of OS/2
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    return Announced("BMP", width, abs(height), max(1, bits // 8))  # a negative height: from top to bottom


def _webp(data: bytes) -> Announced | None:
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return Announced("WEBP", width & 0x3FFF, height & 0x3FFF, 3)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return Announced("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 4)
        case b"VP8X":
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            return Announced("WEBP", width, height, 4)
    return None


def _tiff(data: bytes) -> Announced:
    order = "<" if data[:1] == b"I" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (entries,) = struct.unpack_from(order + "H", data, start)
    found = {}
    for entry in range(min(entries, MOST_ENTRIES)):
        tag, kind, count = struct.unpack_from(order + "HHI", data, start + 2 + 12 * entry)
        if count == 1 and kind in (3, 4):  # one number of 16 or 32 bits
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, start + 10 + 12 * entry)
    samples = found.get(277, 1)
    bits = found.get(258, 8)  # a single number if there is one sample; Pillow reads several samples of 8 bits alone
    return Announced("TIFF", found.get(256, 0), found.get(257, 0), max(1, samples * bits // 8))


def _ppm(data: bytes) -> Announced | None:
    found = _PPM.match(data[:1024])
    if not found:
        return None
    return Announced("PPM", int(found[2]), int(found[3]), {b"3": 3, b"6": 3, b"f": 4}.get(found[1], 1))


def _avif(data: bytes) -> Announced | None:
    place = data.find(b"ispe", 0, BOXES_BYTES)
    if place < 0:
        return None
    width, height = struct.unpack_from(">II", data, place + 8)
    return Announced("AVIF", width, height, 3)


_KINDS: tuple[tuple[int, bytes, Callable[[bytes], Announced | None]], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", _png),
    (0, b"\xff\xd8\xff", _jpeg),
    (0, b"GIF8", _gif),
    (0, b"BM", _bmp),
    (8, b"WEBP", _webp),
    (0, b"II*\x00", _tiff),
    (0, b"MM\x00*", _tiff),
    (4, b"ftypavi", _avif),
    (0, b"P", _ppm),
)
"""Where a kind is told from, the bytes that tell it, and the function that reads its header."""
