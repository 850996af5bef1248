import struct
import tracemalloc
import warnings
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from core.errors import PictureError, PictureTooLargeError, PictureUnreadableError
from core.imaging import PictureLimits, decode, digit_from_bytes, to_digit
from tests.core.imaging.drawn import REFERENCE, encoded, ink, likeness, on_white
from tests.marks import NO_WARNING

pytestmark = NO_WARNING


class TestFormats:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
    def test_each_usual_format_is_read(self, kind: str) -> None:
        assert likeness(digit_from_bytes(encoded(on_white(), kind)), REFERENCE) > 0.98

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
    def test_each_png_mode_is_read(self, mode: str) -> None:
        picture = decode(encoded(Image.fromarray(on_white()).convert(mode)))
        assert picture.mode in ("L", "LA", "RGB", "RGBA")
        assert likeness(to_digit(picture), REFERENCE) > 0.98

    @pytest.mark.parametrize(
        "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F"]
    )
    def test_to_digit_takes_a_picture_of_any_mode(self, mode: str) -> None:
        picture = Image.fromarray(on_white())
        via = {"La": "LA", "RGBa": "RGBA", "PA": "LA", "HSV": "RGB"}.get(mode, mode)
        assert likeness(to_digit(picture.convert(via).convert(mode)), REFERENCE) > 0.98

    @pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
    def test_cmyk_is_read(self, kind: str) -> None:
        assert likeness(digit_from_bytes(encoded(Image.fromarray(on_white()).convert("CMYK"), kind)), REFERENCE) > 0.98

    @pytest.mark.parametrize("white", [4095, 65535])
    @pytest.mark.parametrize("kind", ["PNG", "TIFF"])
    def test_16_bits_are_read_whatever_part_of_them_is_used(self, white: int, kind: str) -> None:
        deep = ((1 - ink()) * white).astype(np.uint16)
        assert likeness(digit_from_bytes(encoded(deep, kind)), REFERENCE) > 0.98

    def test_floating_point_tiff_is_read(self) -> None:
        assert likeness(digit_from_bytes(encoded((1 - ink()).astype(np.float32), "TIFF")), REFERENCE) > 0.98

    @pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
    def test_the_first_frame_of_an_animation_is_read(self, kind: str) -> None:
        frames = [Image.fromarray(on_white(digit=digit)) for digit in (2, 7, 4)]
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert likeness(digit_from_bytes(data), REFERENCE) > 0.98

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    def test_exif_orientation_is_applied_once(self, orientation: int, kind: str) -> None:
        undo = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }
        upright = Image.fromarray(on_white(canvas=(400, 300), at=(0.4, 0.6)))
        stored = upright.transpose(undo[orientation]) if orientation in undo else upright
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation

        picture = decode(encoded(stored, kind, exif=exif))

        assert picture.size == (300, 400)
        assert likeness(to_digit(picture), REFERENCE) > 0.98
        assert ExifTags.Base.Orientation not in picture.getexif()

    def test_a_large_photo_is_made_smaller_and_its_digit_is_found(self) -> None:
        data = encoded(on_white(canvas=(3000, 4000), size=1800, pen=60), "JPEG")
        picture = decode(data)
        assert picture.size == (2000, 1500)  # by the JPEG decoder itself, which never has all the pixels
        assert likeness(to_digit(picture), REFERENCE) > 0.95

    @pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
    def test_a_large_drawing_is_made_smaller_and_its_digit_is_found(self, mode: str) -> None:
        data = encoded(Image.fromarray(on_white(canvas=(2000, 2500), size=1500, pen=60)).convert(mode))
        picture = decode(data)
        assert picture.width * picture.height <= 4_000_000
        assert likeness(to_digit(picture), REFERENCE) > 0.95


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size, and holds hardly any pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class TestLimits:
    @pytest.mark.parametrize("side", [7_100, 10_000, 20_000, 60_000])
    def test_too_many_pixels_are_refused_by_the_header_alone(self, side: int) -> None:
        data = png_header(side, side)
        tracemalloc.start()
        try:
            with pytest.raises(PictureTooLargeError, match="pixels"):
                decode(data)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "BMP", "JPEG"])
    def test_the_limit_holds_for_every_format(self, kind: str) -> None:
        with pytest.raises(PictureTooLargeError, match=r"300 × 200 = 60,000 pixels, at most 59,999 are accepted"):
            decode(encoded(np.zeros((200, 300), np.uint8), kind), limits=PictureLimits(max_pixels=59_999))

    def test_exactly_the_limit_is_accepted(self) -> None:
        data = encoded(on_white())
        assert decode(data, limits=PictureLimits(max_bytes=len(data), max_pixels=320 * 320)).size == (320, 320)

    def test_too_many_bytes_are_refused_unread(self) -> None:
        data = b"not even a picture" * 100
        with pytest.raises(PictureTooLargeError, match=r"1,800 bytes, at most 1,799 are accepted"):
            decode(data, limits=PictureLimits(max_bytes=1_799))

    def test_no_warning_of_pillow_escapes(self) -> None:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with pytest.raises(PictureTooLargeError):
                decode(png_header(10_000, 10_000))
        assert not seen


class TestUnreadable:
    @pytest.mark.parametrize(
        ("data", "found"),
        [
            (b"", "0 bytes"),
            (b"hello, world", "12 bytes that begin like text"),
            (bytes(784), "784 bytes that begin with b'\\x00"),
            (bytes(784), "raw pixels, 28 rows of 28, are sent as pixels instead of as a picture"),
        ],
    )
    def test_what_is_not_a_picture_is_named(self, data: bytes, found: str) -> None:
        with pytest.raises(PictureUnreadableError, match="not a picture") as caught:
            decode(data)
        assert found in str(caught.value)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
    def test_a_file_cut_short_anywhere_raises_nothing_but_picture_errors(self, kind: str) -> None:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        options = {} if kind in ("GIF", "BMP") else {"exif": exif}
        data = encoded(on_white(canvas=(80, 60), size=50, pen=4), kind, **options)
        refused = 0
        for length in range(0, len(data) - 1, max(1, len(data) // 150)):
            try:
                decode(data[:length])
            except PictureError:
                refused += 1
        assert refused > 50

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_half_a_file_is_called_damaged(self, kind: str) -> None:
        data = encoded(on_white(), kind)
        with pytest.raises(PictureUnreadableError, match=f"begin like a {kind}".replace("WEBP", "WebP")):
            decode(data[: len(data) // 2])

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
    def test_flipped_bytes_raise_nothing_but_picture_errors(self, kind: str) -> None:
        data = bytearray(encoded(on_white(canvas=(80, 60), size=50, pen=4), kind))
        rng = np.random.default_rng(3)
        for _ in range(150):
            damaged = bytearray(data)
            for place in rng.integers(0, len(data), 3):
                damaged[place] = rng.integers(0, 256)
            try:
                picture = decode(bytes(damaged), limits=PictureLimits(max_pixels=100_000))
            except PictureError:
                continue
            assert picture.width * picture.height <= 100_000

    def test_formats_that_start_other_programs_are_not_tried(self) -> None:
        eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
        with pytest.raises(PictureUnreadableError):
            decode(eps)

    @given(st.binary(max_size=300))
    @settings(max_examples=150, deadline=None)
    def test_random_bytes_raise_nothing_but_picture_errors(self, data: bytes) -> None:
        with suppress(PictureError):
            digit_from_bytes(data)

    @given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]), st.binary(max_size=120))
    @settings(max_examples=150, deadline=None)
    def test_random_bytes_behind_a_valid_header_raise_nothing_but_picture_errors(self, kind: str, tail: bytes) -> None:
        data = encoded(np.zeros((9, 9), np.uint8), kind)[:40] + tail
        with suppress(PictureError):
            digit_from_bytes(data, limits=PictureLimits(max_pixels=1_000_000))
