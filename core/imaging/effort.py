"""How long it takes to decode a picture and to find the digit in it, estimated from its header.

The figures were measured with Pillow 13 on one core of the machine of `docs/benchmarks.md`, each kind with an even
picture and with a noisy one: the former gives the time for each megasample (a pixel in color has three samples), the
latter what the bytes add to it. They are right within a factor of two or so. What matters is the proportion between a
small drawing and the largest picture allowed, which is one to a hundred; a server learns its own speed as it goes.
"""

from typing import NamedTuple

from core.imaging.announced import announced
from core.imaging.decode import DEFAULT_LIMITS, PictureLimits

__all__ = ["effort"]

REFUSED = 1e-4
"""Seconds for a picture that `decode` refuses by its header, or by its first bytes."""

FRAMED = 4e-3
"""Seconds to find and to frame the digit. This hardly depends on the picture, which is reduced before."""

REDUCED = 1e-9
"""Seconds for each sample of a picture, to reduce it."""


class _Pace(NamedTuple):
    """How fast one kind of picture is decoded: seconds for each sample, and for each byte of the file."""

    sample: float
    byte: float


_PACES = {
    "PNG": _Pace(3e-9, 6e-9),
    "JPEG": _Pace(1e-9, 1e-8),
    "progressive JPEG": _Pace(2e-9, 3e-8),
    "GIF": _Pace(5e-9, 5e-9),
    "BMP": _Pace(7e-10, 0),
    "PPM": _Pace(7e-10, 0),
    "TIFF": _Pace(1.5e-9, 3e-9),
    "WEBP": _Pace(4.5e-9, 5e-8),
    "AVIF": _Pace(2.5e-9, 5e-9),
}


def effort(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> float:
    """Seconds that `digit_from_bytes` takes for a picture, about. Takes microseconds itself, whatever the bytes are.

    Args:
        data: The encoded picture.
        limits: The largest picture that will be decoded.
    """
    found = announced(data)
    if found is None or len(data) > limits.max_bytes or found.pixels > limits.max_pixels:
        return REFUSED
    pace = _PACES[found.kind]
    return FRAMED + found.pixels * found.samples * (pace.sample + REDUCED) + len(data) * pace.byte
