from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import NoDigitError, PictureUnreadableError
from core.imaging import as_framed, corrected
from core.imaging.framed import levels
from tests.core.imaging.drawn import Gray

# Every scale and polarity that is certain, and how MNIST's images are written in it.
FORMS: dict[str, Callable[[Gray], NDArray[Any]]] = {
    "uint8, 0 … 255": lambda images: images,
    "uint8, inverted": lambda images: 255 - images,
    "float32, 0 … 255": lambda images: images.astype(np.float32),
    "float32, 0 … 1": lambda images: (images / 255).astype(np.float32),
    "float32, inverted, 0 … 1": lambda images: (1 - images / 255).astype(np.float32),
    "float16, 0 … 1": lambda images: (images / 255).astype(np.float16),
    "float64, 0 … 1": lambda images: images / 255,
    "int64, 0 … 255": lambda images: images.astype(np.int64),
    "uint16, 0 … 4095": lambda images: np.rint(images / 255 * 4095).astype(np.uint16),
    "uint16, 0 … 65535": lambda images: images.astype(np.uint16) * 257,
    "not contiguous": lambda images: np.repeat(images, 2, axis=2)[:, :, ::2],
}


@pytest.fixture(scope="module")
def some(mnist: Gray) -> Gray:
    return mnist[:500]


class TestProperImages:
    def test_no_image_of_mnist_is_altered_or_copied(self, mnist: Gray) -> None:
        assert as_framed(mnist) is mnist

    def test_noise_without_any_paper_is_taken_at_its_word(self) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (50, 28, 28), np.uint8)
        assert as_framed(noise) is noise

    def test_ink_that_touches_the_edge_is_not_taken_for_paper(self) -> None:
        image = np.zeros((1, 28, 28), np.uint8)
        image[0, :, 10:18] = image[0, 20:, :] = 255
        assert as_framed(image) is image

    def test_an_image_that_was_corrected_is_right(self, some: Gray) -> None:
        corrected = as_framed(255 - some)
        assert as_framed(corrected) is corrected


class TestScaleAndPolarity:
    @pytest.mark.parametrize("form", FORMS)
    def test_mnist_in_any_form_is_mnist(self, mnist: Gray, form: str) -> None:
        assert np.array_equal(as_framed(FORMS[form](mnist)), mnist)

    @pytest.mark.parametrize("form", FORMS)
    def test_each_image_alone_is_the_same_as_in_its_batch(self, some: Gray, form: str) -> None:
        for image, expected in zip(FORMS[form](some), some, strict=True):
            assert np.array_equal(as_framed(image[np.newaxis])[0], expected)

    @pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int32, np.float32])
    def test_two_levels_are_background_and_ink(self, some: Gray, dtype: Any) -> None:
        ink = some > 127
        assert np.array_equal(as_framed(ink.astype(dtype)), ink * np.uint8(255))
        assert np.array_equal(as_framed((~ink).astype(dtype)), ink * np.uint8(255))

    def test_white_may_exceed_1_by_a_rounding_error(self, some: Gray) -> None:
        assert np.array_equal(as_framed(some / 255 * (1 + 1e-6) - 1e-7), some)

    def test_paper_and_ink_need_not_be_pure(self, some: Gray) -> None:
        pale = (230 - some * 0.8).astype(np.uint8)
        assert np.array_equal(as_framed(pale), 255 - pale)

    def test_the_array_of_the_caller_is_left_alone(self, some: Gray) -> None:
        given = 1 - some / 255
        before = given.copy()
        as_framed(given)
        assert np.array_equal(given, before)


class TestWhatWasChanged:
    def test_images_that_are_right_count_as_unchanged(self, some: Gray) -> None:
        found = corrected(some)
        assert (found.images is some, found.scaled, found.inverted) == (True, 0, 0)

    def test_images_that_were_scaled_or_inverted_are_counted(self, some: Gray) -> None:
        mixed = some[:9] / 255
        mixed[::3] = 1 - mixed[::3]
        found = corrected(mixed)
        assert (found.scaled, found.inverted) == (9, 3)
        assert np.array_equal(found.images, some[:9])


class TestMixedBatches:
    def test_polarity_is_decided_image_by_image(self, some: Gray) -> None:
        mixed = some.copy()
        mixed[::3] = 255 - mixed[::3]
        assert np.array_equal(as_framed(mixed), some)

    @pytest.mark.parametrize("dtype", [np.float32, np.uint8])
    def test_strong_ink_on_paper_shows_the_scale_of_one_image_among_others(self, some: Gray, dtype: Any) -> None:
        black_and_white = (some > 127) * np.uint8(255)
        mixed = black_and_white.astype(dtype)
        mixed[1::4] = mixed[1::4] / 255
        mixed[2::4] = 1 - mixed[2::4] / 255
        assert np.array_equal(as_framed(mixed), black_and_white)

    def test_remnants_among_images_of_a_larger_scale_are_nothing_drawn(self, some: Gray) -> None:
        mixed = some[:3].astype(np.float32)
        mixed[1] = np.random.default_rng(1).random((28, 28))
        with pytest.raises(NoDigitError, match="image 1 of 3: nothing is drawn"):
            as_framed(mixed)

    def test_faint_images_of_a_batch_on_the_scale_0_to_1_stay_faint(self, some: Gray) -> None:
        mixed = some / 255
        mixed[1] *= 0.3
        assert 70 <= as_framed(mixed)[1].max() <= 77


class TestRefusals:
    @pytest.mark.parametrize("level", [0, 1, 7, 255])
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    def test_an_image_of_one_level_is_nothing_drawn(self, level: int, dtype: Any) -> None:
        with pytest.raises(NoDigitError, match="^nothing is drawn; every pixel is"):
            as_framed(np.full((1, 28, 28), level, dtype))

    def test_one_empty_image_of_a_batch_is_named(self, some: Gray) -> None:
        batch = some[:9].copy()
        batch[4] = 0
        with pytest.raises(NoDigitError, match="image 4 of 9: nothing is drawn"):
            as_framed(batch)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (
                lambda image: (image / 255 - 0.1307) / 0.3081,
                "range from -0.424213 to 2.82149; .*undo the normalization",
            ),
            (lambda image: image / 127.5 - 1, "range from -1 to 1; .*undo the normalization"),
            (lambda image: np.where(image > 127, np.nan, image), "a value is NaN"),
            (lambda image: np.where(image > 127, np.inf, image), "range from 0 to inf"),
            (lambda image: image * 257.0, "range from 0 to 65535"),
            (lambda image: image.astype(np.int64) * 300, "range from 0 to 76500"),
            (lambda image: image.astype(complex), "dtype complex128"),
            (lambda image: image / 255 * 16, "levels range from 0 to 16 of 255"),
            (lambda image: image // 16, "levels range from 0 to 15 of 255"),
            (lambda image: np.clip(image, 110, 255), "edge has level 110 of 255, .*send the picture itself"),
            (lambda image: np.pad(image[2:26, 2:26], 2, constant_values=255), "it is not clear what is ink"),
        ],
    )
    def test_what_is_not_certain_is_refused_with_what_was_found(
        self, some: Gray, change: Callable[[Gray], NDArray[Any]], words: str
    ) -> None:
        with pytest.raises(PictureUnreadableError, match=words):
            as_framed(change(some[0])[np.newaxis])

    def test_levels_alone_look_at_the_scale_and_at_nothing_else(self) -> None:
        assert np.array_equal(levels(np.zeros((1, 28, 28))), np.zeros((1, 28, 28)))
        assert np.array_equal(levels(np.full((1, 28, 28), 0.5)), np.full((1, 28, 28), 128))
