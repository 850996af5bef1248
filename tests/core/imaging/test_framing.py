from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from core.errors import ManifestError
from core.imaging import FRAMING, LATEST, digit_from_bytes, framing_version, from_array, to_digit
from tests.core.imaging.drawn import REFERENCE, STROKES, Gray, encoded, ink, likeness, lit, noise, on_white
from tests.floats import close
from tests.marks import NO_WARNING

pytestmark = NO_WARNING


class TestFraming:
    def test_a_digit_is_28_by_28_bytes_on_black_with_full_ink(self) -> None:
        assert REFERENCE.shape == (28, 28)
        assert REFERENCE.dtype == np.uint8
        assert REFERENCE.max() == FRAMING.ink
        assert not REFERENCE[0].any()
        assert not REFERENCE[:, 0].any()

    @pytest.mark.parametrize("digit", STROKES)
    @pytest.mark.parametrize("canvas", [(320, 320), (300, 700), (900, 260)])
    def test_its_longer_side_measures_20_pixels_and_its_mass_is_centered(
        self, digit: int, canvas: tuple[int, int]
    ) -> None:
        framed = to_digit(Image.fromarray(on_white(digit=digit, canvas=canvas, size=220)))

        rows, columns = np.nonzero(framed)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == FRAMING.box
        mass = framed.astype(float)
        assert np.average(np.arange(28), weights=mass.sum(axis=1)) == close(14, abs=0.5, why="whole pixels")
        assert np.average(np.arange(28), weights=mass.sum(axis=0)) == close(14, abs=0.5, why="whole pixels")

    def test_the_aspect_ratio_is_kept(self) -> None:
        line = np.full((300, 300), 255, np.uint8)
        line[40:260, 140:152] = 0
        columns = np.nonzero(to_digit(Image.fromarray(line)))[1]
        assert np.ptp(columns) <= 4

    def test_a_horizontal_line_stays_horizontal(self) -> None:
        line = np.full((300, 300), 255, np.uint8)
        line[140:152, 40:260] = 0
        rows = np.nonzero(to_digit(Image.fromarray(line)))[0]
        assert np.ptp(rows) <= 4

    def test_the_framing_can_be_written_down_as_data(self) -> None:
        assert asdict(FRAMING) == {
            "version": 2,
            "size": 28,
            "box": 20,
            "centered_by": "mass",
            "background": 0,
            "ink": 255,
            "thinnest": 2.2,
            "thickest": 2.8,
        }

    def test_the_same_picture_always_gives_the_same_digit(self) -> None:
        picture = Image.fromarray(lit(180 + noise((320, 320), 6), ink()))
        assert np.array_equal(to_digit(picture), to_digit(picture))

    def test_different_digits_stay_different(self) -> None:
        framed = {digit: to_digit(Image.fromarray(on_white(digit=digit))) for digit in STROKES}
        assert max(likeness(framed[a], framed[b]) for a in STROKES for b in STROKES if a != b) < 0.75


class TestMnistDigits:
    def test_every_one_passes_byte_for_byte(self, mnist: Gray) -> None:
        assert all(np.array_equal(from_array(image), image) for image in mnist)

    def test_so_it_does_as_a_png_of_any_mode(self, mnist: Gray) -> None:
        for mode in ("L", "RGB", "RGBA", "LA"):
            assert np.array_equal(digit_from_bytes(encoded(Image.fromarray(mnist[3]).convert(mode))), mnist[3])

    def test_as_floats_from_0_to_1_it_passes_too(self, mnist: Gray) -> None:
        assert np.array_equal(from_array(mnist[5] / 255), mnist[5])
        assert np.array_equal(from_array((mnist[5] / 255).astype(np.float32)), mnist[5])

    def test_black_on_white_it_is_inverted(self, mnist: Gray) -> None:
        assert np.array_equal(from_array(255 - mnist[7]), mnist[7])

    def test_what_passes_can_be_written_to(self, mnist: Gray) -> None:
        digit = from_array(mnist[0])
        digit[:] = 0
        assert mnist[0].any()

    def test_enlarged_it_comes_back_nearly_the_same(self, mnist: Gray) -> None:
        again = [
            likeness(to_digit(Image.fromarray(np.pad(image, 6)).resize((400, 400), Image.Resampling.BICUBIC)), image)
            for image in mnist[:60]
        ]
        assert np.median(again) > 0.9  # not 1: the strokes of thick and thin writers are evened
        assert min(again) > 0.7

    def test_a_small_digit_in_a_corner_of_28_pixels_is_framed_anew(self, mnist: Gray) -> None:
        corner = np.zeros((28, 28), np.uint8)
        corner[1:15, 2:16] = np.asarray(Image.fromarray(mnist[0]).resize((14, 14), Image.Resampling.BOX))
        assert likeness(from_array(corner), mnist[0]) > 0.75

    def test_so_is_a_large_one_that_is_far_from_the_center(self, mnist: Gray) -> None:
        aside = np.roll(mnist[3], (4, -4), axis=(0, 1))
        assert likeness(from_array(aside), mnist[3]) > 0.9
        assert likeness(from_array(aside), aside) < 0.5

    def test_one_that_is_shifted_a_little_as_augmented_data_is_passes(self, mnist: Gray) -> None:
        shifted = np.roll(mnist[3], (2, -1), axis=(0, 1))
        assert np.array_equal(from_array(shifted), shifted)


class TestFramingVersion:
    @pytest.mark.parametrize(
        ("parameters", "version"), [({}, 1), ({"size": 28}, 1), ({"version": 1}, 1), (asdict(FRAMING), LATEST)]
    )
    def test_it_is_read_from_the_parameters_and_1_without(self, parameters: dict[str, object], version: int) -> None:
        assert framing_version(parameters) == version

    @pytest.mark.parametrize("version", [0, 3, "2", 2.0, True, None])
    def test_an_unknown_one_asks_for_a_newer_numeral(self, version: object) -> None:
        with pytest.raises(ManifestError, match=r"framing\.version: .*, this Numeral knows framings 1 to 2; a newer"):
            framing_version({"version": version})
