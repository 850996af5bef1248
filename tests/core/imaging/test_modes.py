from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import NoDigitError, PictureError, PictureUnreadableError
from core.imaging import digit_from_bytes, from_array, from_pixels, to_digit
from tests.core.imaging.drawn import REFERENCE, Gray, encoded, ink, likeness, on_white
from tests.marks import NO_WARNING

pytestmark = NO_WARNING


class TestTransparency:
    def test_black_strokes_on_nothing_were_drawn_on_light_paper(self) -> None:
        canvas = np.zeros((320, 320, 4), np.uint8)
        canvas[..., 3] = ink() * 255
        assert likeness(from_array(canvas), REFERENCE) > 0.98

    def test_white_strokes_on_nothing_were_drawn_on_dark_paper(self) -> None:
        canvas = np.full((320, 320, 4), 255, np.uint8)
        canvas[..., 3] = ink() * 255
        assert likeness(from_array(canvas), REFERENCE) > 0.98

    @pytest.mark.parametrize(("page", "pen"), [(255, 20), (200, 60), (40, 230)])
    def test_a_round_cutout_is_read_as_a_page(self, page: int, pen: int) -> None:
        disc = Image.new("L", (320, 320), 0)
        ImageDraw.Draw(disc).ellipse((2, 2, 317, 317), fill=255)
        gray = (page + (pen - page) * ink(size=170, pen=9)).astype(np.uint8)
        cutout = np.dstack([gray] * 3 + [np.asarray(disc)])
        cutout[cutout[..., 3] == 0] = 0
        assert likeness(from_array(cutout), REFERENCE) > 0.98

    def test_an_opaque_alpha_channel_changes_nothing(self) -> None:
        picture = Image.fromarray(on_white())
        assert np.array_equal(to_digit(picture.convert("RGBA")), REFERENCE)
        assert np.array_equal(to_digit(picture.convert("LA")), REFERENCE)

    def test_a_palette_with_a_transparent_entry_is_understood(self) -> None:
        picture = Image.fromarray((ink() > 0.5).astype(np.uint8)).convert("P")
        picture.putpalette([0, 0, 0] * 2)
        data = encoded(picture, transparency=0)
        assert likeness(digit_from_bytes(data), REFERENCE) > 0.95

    def test_a_fully_transparent_picture_has_no_digit(self) -> None:
        with pytest.raises(NoDigitError):
            from_array(np.zeros((50, 50, 4), np.uint8))


class TestRawPixels:
    def test_784_bytes_are_a_digit_as_it_is(self, mnist: Gray) -> None:
        digit = from_pixels(mnist[0].tobytes())
        assert np.array_equal(digit, mnist[0])
        assert digit.flags.writeable

    @pytest.mark.parametrize("count", [0, 783, 785, 3136])
    def test_another_number_of_bytes_is_named(self, count: int) -> None:
        with pytest.raises(PictureError, match=f"{count:,} bytes, expected 784"):
            from_pixels(bytes(count))

    def test_empty_pixels_are_nothing_drawn(self) -> None:
        with pytest.raises(NoDigitError, match="nothing is drawn"):
            from_pixels(bytes(784))

    def test_inverted_pixels_are_turned_over(self, mnist: Gray) -> None:
        assert np.array_equal(from_pixels((255 - mnist[0]).tobytes()), mnist[0])


class TestArrays:
    @pytest.mark.parametrize(
        "same",
        [
            lambda gray: gray.astype(np.float64),
            lambda gray: (gray / 255).astype(np.float32),
            lambda gray: gray[..., None],
            lambda gray: np.dstack([gray] * 3),
            lambda gray: np.dstack([gray] * 3 + [np.full_like(gray, 255)]),
            lambda gray: gray.astype(np.int64),
            lambda gray: gray.astype(np.uint16) * 257,
            lambda gray: gray > 127,
            lambda gray: (gray > 127).astype(np.uint8),
            lambda gray: gray / 255 * (1 + 1e-6) - 1e-7,
            lambda gray: gray[None],
            lambda gray: 255 - gray,
            lambda gray: np.asfortranarray(gray),
            lambda gray: np.repeat(gray, 2, axis=1)[:, ::2],
        ],
        ids=[
            "0…255",
            "0…1",
            "(H, W, 1)",
            "RGB",
            "RGBA",
            "int64",
            "uint16",
            "bool",
            "0 and 1",
            "0…1, nearly",
            "(1, H, W)",
            "inverted",
            "Fortran order",
            "strided",
        ],
    )
    def test_an_array_gives_the_same_digit_however_it_is_written(self, same: Callable[[Gray], NDArray[Any]]) -> None:
        assert likeness(from_array(same(on_white())), REFERENCE) > 0.98

    @pytest.mark.parametrize("shape", [(), (5,), (0, 5), (5, 5, 2), (5, 5, 5), (1, 28, 28, 1), (10, 28, 28)])
    def test_another_shape_is_named(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(PictureUnreadableError, match=r"array: shape \(.*\), expected \(H, W\)"):
            from_array(np.zeros(shape, np.uint8))

    @pytest.mark.parametrize(
        ("shape", "step"),
        [
            ((3, 30, 40), r"pass array.transpose\(1, 2, 0\)"),
            ((4, 30, 40), r"pass array.transpose\(1, 2, 0\)"),
            ((784,), r"pass array.reshape\(28, 28\)"),
            ((0, 28), "it is empty"),
            ((2, 28, 28), "one picture at a time"),
        ],
    )
    def test_a_shape_that_people_often_have_is_refused_with_the_next_step(
        self, shape: tuple[int, ...], step: str
    ) -> None:
        with pytest.raises(PictureUnreadableError, match=step):
            from_array(np.zeros(shape, np.uint8))

    @pytest.mark.parametrize(
        "array", [np.zeros((28, 28)), np.full((28, 28), 0.7), np.zeros((1, 1)), np.ones((40, 40), bool)]
    )
    def test_in_an_array_of_one_level_nothing_is_drawn(self, array: NDArray[Any]) -> None:
        with pytest.raises(NoDigitError):
            from_array(array)

    def test_normalized_values_are_refused_with_the_next_step(self) -> None:
        with pytest.raises(PictureUnreadableError, match="values from -0.42.* to 2.8.*undo the normalization first"):
            from_array((on_white() / 255 - 0.1307) / 0.3081)

    @pytest.mark.parametrize("dtype", [np.complex64, "U3", object, "datetime64[s]"])
    def test_another_kind_of_number_is_named(self, dtype: Any) -> None:
        with pytest.raises(PictureUnreadableError, match="array: dtype"):
            from_array(np.zeros((30, 30), dtype))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 70_000.0])
    def test_a_value_that_is_no_brightness_is_named(self, value: float) -> None:
        array = np.zeros((30, 30))
        array[4, 4] = value
        with pytest.raises(PictureUnreadableError, match="array: values from .* to .*, expected 0 … 1 or 0 … 255"):
            from_array(array)

    @given(
        npst.arrays(
            np.uint8,
            st.tuples(st.integers(1, 40), st.integers(1, 40))
            | st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([3, 4])),
        )
    )
    @settings(max_examples=200, deadline=None)
    def test_any_array_gives_a_digit_or_none(self, array: Gray) -> None:
        self.digit_or_none(array)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 200), st.floats(0.001, 0.9))
    @settings(max_examples=60, deadline=None)
    def test_any_strokes_give_a_digit_or_none(self, seed: int, height: int, width: int, density: float) -> None:
        rng = np.random.default_rng(seed)
        picture = Image.new("L", (width, height), int(rng.integers(0, 256)))
        draw = ImageDraw.Draw(picture)
        for _ in range(int(8 * density) + 1):
            ends = rng.integers(-10, max(width, height) + 10, 4).tolist()
            draw.line(ends, fill=int(rng.integers(0, 256)), width=int(rng.integers(1, 30)))
        self.digit_or_none(np.asarray(picture))

    def digit_or_none(self, array: Gray) -> None:
        before = array.copy()
        try:
            digit = from_array(array)
        except NoDigitError:
            digit = None
        assert np.array_equal(array, before)
        if digit is not None:
            assert digit.shape == (28, 28)
            assert digit.dtype == np.uint8
            assert digit.max() >= 128
