import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw

from core.errors import NoDigitError, PictureUnreadableError
from core.imaging import decode, digit_from_bytes, encoded
from tests.core.imaging import drawn
from tests.core.imaging.drawn import REFERENCE, Gray, ink, likeness, on_white
from tests.core.imaging.pillow_modes import MODES, in_mode
from tests.marks import NO_WARNING

pytestmark = NO_WARNING

SIDEWAYS = Image.Exif()
SIDEWAYS[ExifTags.Base.Orientation] = 6


def phone_photo(kind: str = "JPEG", **how: Any) -> bytes:
    """An upright digit, stored on its side as a phone stores it."""
    stored = Image.fromarray(on_white(**how)).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    return drawn.encoded(stored, kind, exif=SIDEWAYS)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def loaded(data: bytes) -> Image.Image:
    picture = opened(data)
    picture.load()
    return picture


class TestOpenedFiles:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
    @pytest.mark.parametrize("get", [opened, loaded])
    def test_the_orientation_of_a_photo_is_kept(self, kind: str, get: Any) -> None:
        data = phone_photo(kind)
        assert likeness(digit_from_bytes(data), REFERENCE) > 0.98
        assert np.array_equal(digit_from_bytes(encoded(get(data))), digit_from_bytes(data))

    def test_a_converted_photo_still_has_its_orientation(self) -> None:
        assert likeness(digit_from_bytes(encoded(loaded(phone_photo()).convert("L"))), REFERENCE) > 0.98

    def test_what_pillow_has_not_decoded_is_sent_as_it_is(self) -> None:
        data = phone_photo(canvas=(3000, 4000), size=1800, pen=60)
        picture = opened(data)
        assert encoded(picture) == encoded(picture) == data  # also the second time
        picture.load()

    def test_a_large_photo_that_is_decoded_is_sent_small(self) -> None:
        data = phone_photo(canvas=(3000, 4000), size=1800, pen=60)
        sent = encoded(loaded(data))
        assert len(sent) < 1_000_000
        assert likeness(digit_from_bytes(sent), digit_from_bytes(data)) > 0.98

    def test_changes_that_were_made_in_place_are_sent(self) -> None:
        picture = opened(drawn.encoded(Image.new("L", (320, 320), 255)))
        ImageDraw.Draw(picture).line([(60, 60), (260, 60), (140, 280)], fill=0, width=12)
        assert digit_from_bytes(encoded(picture)).max() == 255

    def test_a_frame_that_was_chosen_is_sent(self) -> None:
        frames = [Image.fromarray(on_white(digit=digit)) for digit in (7, 2, 4)]
        picture = opened(drawn.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
        picture.seek(1)
        assert likeness(digit_from_bytes(encoded(picture)), REFERENCE) > 0.98

    def test_a_format_that_a_server_does_not_read_is_sent_as_another(self) -> None:
        assert likeness(digit_from_bytes(encoded(opened(drawn.encoded(on_white(), "ICO")))), REFERENCE) > 0.95
        assert likeness(digit_from_bytes(encoded(opened(drawn.encoded(on_white(), "JPEG2000")))), REFERENCE) > 0.98

    @pytest.mark.parametrize("get", [opened, lambda data: opened(data).convert("RGB")])
    def test_the_picture_of_the_caller_is_left_alone(self, get: Any) -> None:
        picture = get(phone_photo())
        size, exif = picture.size, dict(picture.getexif())
        encoded(picture)
        assert picture.size == size
        assert dict(picture.getexif()) == exif

    def test_a_damaged_file_is_a_picture_error(self) -> None:
        data = drawn.encoded(on_white(), "JPEG2000")  # which is decoded here, since a server does not read it
        with pytest.raises(PictureUnreadableError, match="damaged picture"):
            encoded(opened(data[: len(data) // 2]))


class TestModes:
    def test_these_are_all_modes_of_pillow(self) -> None:
        assert set(MODES) == set(Image.MODES)

    @pytest.mark.parametrize("mode", MODES)
    def test_a_picture_of_any_mode_is_sent_without_loss(self, mode: str) -> None:
        assert likeness(digit_from_bytes(encoded(in_mode(mode))), REFERENCE) > 0.98

    @pytest.mark.parametrize("mode", ["1", "I", "F", "I;16", "CMYK", "LAB"])
    def test_the_digit_is_that_of_a_tiff_of_the_same_mode(self, mode: str) -> None:
        data = drawn.encoded(in_mode(mode), "TIFF")
        assert np.array_equal(digit_from_bytes(encoded(in_mode(mode))), digit_from_bytes(data))

    def test_one_bit_becomes_black_and_white(self) -> None:
        dithered = Image.fromarray((40 + on_white() * 0.7).astype(np.uint8)).convert("1")
        sent = decode(encoded(dithered))
        assert np.array_equal(np.asarray(sent), np.asarray(dithered) * np.uint8(255))

    @pytest.mark.parametrize("mode", ["P", "PA", "LA", "La", "RGBA", "RGBa"])
    def test_transparency_is_kept(self, mode: str) -> None:
        strokes = np.zeros((320, 320, 2), np.uint8)  # black on nothing: all black, if its transparency is lost
        strokes[..., 1] = (ink() > 0.5) * 255
        picture = Image.fromarray(strokes)
        if mode == "P":
            picture = Image.fromarray((ink() > 0.5).astype(np.uint8)).convert("P")
            picture.putpalette([0, 0, 0] * 2)
            picture.info["transparency"] = 0
        elif mode in ("RGBA", "RGBa"):
            picture = picture.convert("RGBA").convert(mode)
        elif mode == "PA":
            picture = Image.new("P", picture.size)
            picture.putalpha(Image.fromarray(strokes[..., 1]))
        else:
            picture = picture.convert(mode)
        assert picture.mode == mode
        assert likeness(digit_from_bytes(encoded(picture)), REFERENCE) > 0.95

    def test_levels_of_0_and_1_in_8_bits_show_nothing(self) -> None:
        with pytest.raises(NoDigitError):
            digit_from_bytes(encoded(Image.fromarray((on_white() > 127).astype(np.uint8))))


class TestArrays:
    @pytest.mark.parametrize(
        "array",
        [
            on_white(),
            on_white()[..., np.newaxis],
            on_white()[np.newaxis],
            np.dstack([on_white()] * 3),
            on_white() / 255,
            on_white() > 127,
            (on_white() > 127).astype(np.uint8),
            on_white().astype(np.uint16) * 257,
            255 - on_white(),
        ],
    )
    def test_an_array_is_sent_as_the_picture_that_it_holds(self, array: Gray) -> None:
        assert likeness(digit_from_bytes(encoded(array)), REFERENCE) > 0.98
