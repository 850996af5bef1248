"""Any user's picture becomes the same 28×28 digit, whatever its polarity, light, size, place, format or rotation."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFilter

from core.data import idx
from core.errors import NoDigitError, PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging import (
    FRAMING,
    PictureLimits,
    decode,
    digit_from_bytes,
    from_array,
    from_pixels,
    to_digit,
)

Gray = NDArray[np.uint8]
MNIST = Path(__file__).resolve().parents[2] / "data" / "mnist" / "t10k-images-idx3-ubyte.gz"


def drawing(
    size: int = 400, *, stroke: int = 12, at: tuple[float, float] = (0.5, 0.5), scale: float = 0.6
) -> Image.Image:
    """A five in two strokes, black on white: a body, and a bar that does not touch it."""
    picture = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(picture)

    def place(x: float, y: float) -> tuple[float, float]:
        return (at[0] + (x - 0.5) * scale) * size, (at[1] + (y - 0.5) * scale) * size

    body = [(0.3, 0.1), (0.27, 0.45), (0.5, 0.4), (0.7, 0.5), (0.74, 0.7), (0.6, 0.9), (0.4, 0.92), (0.25, 0.82)]
    pen.line([place(*point) for point in body], fill=0, width=stroke, joint="curve")
    pen.line([place(0.4, 0.1), place(0.75, 0.08)], fill=0, width=stroke)
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def alike(a: Gray, b: Gray) -> float:
    """Correlation of two digits, blurred a little: 1 is the same, 0 unrelated."""
    blurred = [
        np.asarray(Image.fromarray(digit).filter(ImageFilter.GaussianBlur(1)), np.float64).ravel() for digit in (a, b)
    ]
    return float(np.corrcoef(*blurred)[0, 1])


def lit_from_one_side(picture: Image.Image) -> Image.Image:
    gray = np.asarray(picture, np.float64)
    return Image.fromarray((gray * np.linspace(0.45, 1, gray.shape[1])).astype(np.uint8))


def on_rough_paper(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(3).normal(0, 9, (picture.height, picture.width))
    return Image.fromarray(np.clip(0.85 * np.asarray(picture) + 15 + noise, 0, 255).astype(np.uint8))


def with_alpha(picture: Image.Image) -> Image.Image:
    strokes = picture.point(lambda v: 255 - v)
    clear = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    clear.putalpha(strokes)
    return clear


def sideways(picture: Image.Image) -> bytes:
    """As a phone stores it: turned, with a note that says how to turn it back."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encoded(picture.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=exif)


@pytest.fixture(scope="module")
def five() -> Gray:
    return to_digit(drawing())


def test_a_digit_is_framed_as_mnist_frames_its_own(five: Gray) -> None:
    assert five.shape == (28, 28)
    assert five.dtype == np.uint8
    assert five.max() == 255
    rows, columns = np.nonzero(five > 32)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (FRAMING.box - 1, FRAMING.box, FRAMING.box + 1)
    y, x = (np.arange(28) @ five.sum(axis=1 - axis) / five.sum() for axis in (0, 1))
    assert abs(y - 14) < 1
    assert abs(x - 14) < 1


@pytest.mark.parametrize(
    "vary",
    [
        pytest.param(lambda p: encoded(p.point(lambda v: 255 - v)), id="white on black"),
        pytest.param(lambda p: encoded(with_alpha(p)), id="strokes on nothing"),
        pytest.param(sideways, id="turned by a phone"),
        pytest.param(lambda p: encoded(drawing(at=(0.3, 0.65), scale=0.35, stroke=7)), id="small and off-center"),
        pytest.param(lambda p: encoded(drawing(1600, stroke=40)), id="large"),
        pytest.param(lambda p: encoded(drawing(120, stroke=4)), id="tiny"),
        pytest.param(lambda p: encoded(drawing(stroke=3)), id="a thin pen"),
        pytest.param(lambda p: encoded(drawing(stroke=26)), id="a thick brush"),
        pytest.param(lambda p: encoded(p, "JPEG", quality=15), id="a poor JPEG"),
        pytest.param(lambda p: encoded(lit_from_one_side(p)), id="lit from one side"),
        pytest.param(lambda p: encoded(on_rough_paper(p)), id="rough paper"),
        pytest.param(lambda p: encoded(p.point(lambda v: 170 if v < 128 else 215)), id="a faint pencil"),
        pytest.param(lambda p: encoded(p.convert("RGB").convert("CMYK"), "TIFF"), id="CMYK"),
        pytest.param(lambda p: encoded(p.convert("P")), id="a palette"),
        pytest.param(lambda p: encoded(p.convert("1")), id="one bit"),
        pytest.param(lambda p: encoded(p, "WEBP", lossless=True), id="WebP"),
        pytest.param(lambda p: encoded(p, "GIF", save_all=True, append_images=[Image.new("L", p.size)]), id="animated"),
        pytest.param(lambda p: encoded(Image.fromarray(np.asarray(p).astype(np.uint16) * 257)), id="16 bits"),
        pytest.param(
            lambda p: encoded(Image.merge("RGB", (p.point(lambda v: 255), p.point(lambda v: 255), p))),
            id="yellow on white",
        ),
    ],
)
def test_the_same_digit_drawn_otherwise_gives_nearly_the_same(vary: Callable[[Image.Image], bytes], five: Gray) -> None:
    assert alike(digit_from_bytes(vary(drawing())), five) > 0.9


def test_digits_of_mnist_pass_byte_for_byte() -> None:
    images = idx.read(MNIST)[:500]
    unchanged = [np.array_equal(digit_from_bytes(encoded(Image.fromarray(image))), image) for image in images]
    assert all(unchanged)


def test_a_digit_of_mnist_black_on_white_is_only_inverted() -> None:
    image = idx.read(MNIST)[0]
    assert np.array_equal(to_digit(Image.fromarray(255 - image)), image)


def test_raw_pixels_are_taken_as_they_are() -> None:
    data = bytes(range(256)) * 3 + bytes(16)
    assert from_pixels(data).tobytes() == data


@pytest.mark.parametrize("count", [0, 783, 785])
def test_another_number_of_raw_pixels_is_refused(count: int) -> None:
    with pytest.raises(PictureError, match=f"{count} bytes, expected 784"):
        from_pixels(bytes(count))


@pytest.mark.parametrize("convert", [np.asarray, lambda p: np.asarray(p) / 255, lambda p: np.asarray(p.convert("RGB"))])
def test_arrays_of_bytes_floats_and_colors_are_read_alike(convert: Callable[[Image.Image], Any], five: Gray) -> None:
    assert alike(from_array(convert(drawing())), five) > 0.99


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(784), r"shape \(784,\), expected \(H, W\)"),
        (np.zeros((3, 28, 28, 1)), "one picture at a time"),
        (np.zeros((0, 28)), "shape"),
        (np.full((28, 28), np.nan), "values from nan"),
        (np.full((28, 28), -1.0), "values from -1"),
        (np.zeros((28, 28), complex), "dtype complex128"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: NDArray[Any], message: str) -> None:
    with pytest.raises(PictureUnreadableError, match=message):
        from_array(array)


@pytest.mark.parametrize(
    "blank",
    [
        np.full((200, 200), 255, np.uint8),
        np.zeros((200, 200), np.uint8),
        np.random.default_rng(1).normal(180, 8, (200, 200)).astype(np.uint8),
        np.tile(np.linspace(90, 220, 200).astype(np.uint8), (200, 1)),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["white", "black", "noise", "a gradient", "one pixel"],
)
def test_where_nothing_is_drawn_no_digit_is_found(blank: Gray) -> None:
    with pytest.raises(NoDigitError, match="no digit found"):
        to_digit(Image.fromarray(blank))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes"),
        (b"hello, digit", "not a picture that can be read: 12 bytes"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\x00\x00\x00\x18ftypheic", "a HEIC photo; save it as JPEG"),
        (encoded(drawing())[:200], "damaged picture: .* begin like a PNG"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, message: str) -> None:
    with pytest.raises(PictureUnreadableError, match=message):
        decode(data)


def test_a_picture_of_too_many_bytes_is_refused_with_both_numbers() -> None:
    data = encoded(drawing())
    with pytest.raises(PictureTooLargeError, match=rf"{len(data):,} bytes, at most 1,000"):
        decode(data, limits=PictureLimits(max_bytes=1000))


def test_a_hundred_megapixel_png_is_refused_by_its_header_and_takes_no_memory() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9)) + chunk(b"IEND", b"")
    tracemalloc.start()
    try:
        with pytest.raises(PictureTooLargeError, match="100,000,000 pixels, at most 50,000,000"):
            decode(bomb)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_picture_cut_short_anywhere_gives_a_digit_or_a_picture_error(kind: str) -> None:
    data = encoded(drawing(100, stroke=5), kind)
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            assert digit_from_bytes(data[:end]).shape == (28, 28)
        except PictureError:
            continue


@given(st.binary(max_size=300))
def test_any_bytes_give_a_picture_error_at_worst(data: bytes) -> None:
    with pytest.raises(PictureError):
        digit_from_bytes(data)


@settings(deadline=None, max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_picture_gives_a_digit_or_says_that_there_is_none(array: Gray) -> None:
    try:
        digit = to_digit(Image.fromarray(array))
    except NoDigitError:
        return
    assert digit.shape == (28, 28)
    assert digit.dtype == np.uint8


def test_the_same_picture_always_gives_the_same_bytes(five: Gray) -> None:
    assert np.array_equal(to_digit(drawing()), five)
