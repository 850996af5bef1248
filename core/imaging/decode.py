"""Encoded picture → an upright Pillow picture of bounded size, or an error that says what was received instead."""

import importlib.util
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image, UnidentifiedImageError

from core.digit import PIXELS, SIDE
from core.errors import PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging.kinds import kind_of
from core.imaging.modes import is_deep, plain

# The formats that people send. Pillow reads more, but some of them start other programs (EPS), hold a picture larger
# than their header says (ICO) or are recognized in almost any bytes (TGA).
FORMATS = ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"]
if importlib.util.find_spec("PIL.AvifImagePlugin"):  # Pillow 11.2 and later
    FORMATS.append("AVIF")

# A larger picture is reduced while it is decoded: more pixels are not needed to find a digit.
KEPT_PIXELS = 1_500_000

_STRIP_PIXELS = 1 << 20

# EXIF orientation → the transposition that turns the stored picture upright (CIPA DC-008, Exif 2.32, tag 0x0112).
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class PictureLimits:
    """The largest picture that `decode` accepts.

    Attributes:
        max_bytes: Encoded size, in bytes.
        max_pixels: Width × height, as the file's header announces them.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000


DEFAULT_LIMITS = PictureLimits()


def decode(data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> Image.Image:
    """Decode a PNG, JPEG, GIF, BMP, WebP, TIFF, … picture.

    EXIF orientation is applied, only the first frame of an animation is read, and palettes, CMYK and 16 bits are
    brought to 8-bit gray or color. Pictures of more than 1.5 megapixels are reduced by a whole factor.

    Args:
        data: The encoded picture.
        limits: The largest picture; both limits are checked before any pixel is decoded.

    Returns:
        An upright picture of mode "L", "LA", "RGB" or "RGBA".

    Raises:
        PictureTooLargeError: More bytes or pixels than `limits` allow.
        PictureUnreadableError: The bytes are not a picture, or a damaged one.
    """
    if len(data) > limits.max_bytes:
        raise PictureTooLargeError(
            f"picture: {len(data):,} bytes, at most {limits.max_bytes:,} are accepted; save it smaller or as JPEG"
        )
    with _one_kind_of_error(data), Image.open(BytesIO(data), formats=FORMATS) as stored:
        width, height = stored.size
        if width * height > limits.max_pixels:
            raise PictureTooLargeError(
                f"picture: {width} × {height} = {width * height:,} pixels, at most {limits.max_pixels:,} are accepted; "
                "scale it down"
            )
        factor = _reduction(stored.size)
        stored.draft(None, (math.ceil(width / factor), math.ceil(height / factor)))  # JPEG decodes at 1/2, 1/4, 1/8
        return upright(stored)


def upright(opened: Image.Image) -> Image.Image:
    """A picture that Pillow has opened, as `decode` returns it: upright, of bounded size, and in a plain mode.

    Returns:
        Another picture, of mode "L", "LA", "RGB" or "RGBA".

    Raises:
        Exception: Whatever Pillow raises for damaged pixels.
    """
    opened.load()
    turn = UPRIGHT.get(opened.getexif().get(ExifTags.Base.Orientation, 1))  # after load: it turns a TIFF itself
    picture = _reduced(opened, _reduction(opened.size))
    picture = picture if turn is None else picture.transpose(turn)
    picture.info = {}  # so that no later step applies the orientation again
    return picture


def _reduction(size: tuple[int, int]) -> int:
    """The whole factor by which a picture of this size is reduced."""
    return max(1, round(math.sqrt(size[0] * size[1] / KEPT_PIXELS)))


def _reduced(stored: Image.Image, factor: int) -> Image.Image:
    """`plain(stored).reduce(factor)`, strip by strip: at once, it would take three times the memory of the picture."""
    width, height = stored.size
    rows = factor * max(1, _STRIP_PIXELS // (width * factor))
    if rows >= height or is_deep(stored):  # deep samples are scaled by the range of the whole picture
        return plain(stored).reduce(factor)
    tops = range(0, height, rows)
    strips = [plain(stored.crop((0, top, width, min(top + rows, height)))).reduce(factor) for top in tops]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for top, strip in zip(tops, strips, strict=True):
        whole.paste(strip, (0, top // factor))
    return whole


@contextmanager
def _one_kind_of_error(data: bytes) -> Iterator[None]:
    """Turn whatever Pillow raises for bad bytes into a PictureError, and suppress its warnings."""
    try:
        # Pillow warns of large headers (checked here) and of odd metadata (of no interest). The filter is limited to
        # Pillow: if threads restore filters out of order and leave it behind, no other warning is suppressed.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureTooLargeError(f"picture: far too many pixels; scale it down ({error})") from error
    except UnidentifiedImageError:
        raise PictureUnreadableError(f"not a picture that can be read: {_what(data)}; {_next_step(data)}") from None
    except Exception as error:  # damaged bytes make Pillow's decoders raise almost any class
        raise PictureUnreadableError(f"damaged picture: {_what(data)}: {error or type(error).__name__}") from error


def _what(data: bytes) -> str:
    """A description of the bytes, for an error message."""
    if not data:
        return "0 bytes"
    kind = kind_of(data)
    return f"{len(data):,} bytes that begin " + (f"like {kind.name}" if kind else f"with {data[:12]!r}")


def _next_step(data: bytes) -> str:
    """What is accepted in place of bytes that are no picture, and what to do with them."""
    kind = kind_of(data)
    if kind is None and len(data) == PIXELS:
        step = f"raw pixels, {SIDE} rows of {SIDE}, are sent as pixels instead of as a picture"
    else:
        step = kind.step if kind else ""
    return f"expected {', '.join(FORMATS[:-1])} or {FORMATS[-1]}" + (step and f"; {step}")
