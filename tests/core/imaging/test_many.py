import numpy as np
import pytest
from PIL import Image

from core.errors import NoDigitError, PictureError
from core.imaging import to_digit
from core.imaging.many import segment
from tests.core.imaging.drawn import Gray, likeness, on_white
from tests.core.imaging.numbers import below, row, tile, written


def test_every_piece_is_a_candidate_by_itself(mnist: Gray) -> None:
    (line,) = segment(written(row(mnist[:6], -1)))
    alone = [candidate.first for candidate in line.candidates if candidate.last == candidate.first + 1]
    assert alone == list(range(line.pieces))
    assert line.pieces >= 6


def test_a_digit_apart_is_framed_as_a_single_one(mnist: Gray) -> None:
    (line,) = segment(written(row(mnist[:3], 12)))
    for image in mnist[:3]:
        expected = to_digit(written(image))
        assert max(likeness(candidate.image, expected) for candidate in line.candidates) > 0.97


def test_digits_that_are_far_apart_are_never_joined(mnist: Gray) -> None:
    (line,) = segment(written(row(mnist[:6], 14)))
    widest = 3 * max(tile(image).shape[1] for image in mnist[:6]) + 6  # and the gray pixels on both sides
    assert all(right - left <= widest for left, _, right, _ in (candidate.box for candidate in line.candidates))


def test_each_line_has_candidates_of_its_own(mnist: Gray) -> None:
    upper, lower = segment(written(below(row(mnist[:2], 10), row(mnist[2:7], 10))))
    assert upper.pieces < lower.pieces
    assert max(candidate.box[3] for candidate in upper.candidates) < min(c.box[1] for c in lower.candidates)


def test_the_roof_of_a_5_belongs_to_it() -> None:
    (line,) = segment(Image.fromarray(on_white(digit=5)))
    assert line.pieces == 1
    assert likeness(line.candidates[0].image, to_digit(Image.fromarray(on_white(digit=5)))) > 0.97


@pytest.mark.parametrize("scale", [1, 3, 6])
def test_boxes_are_in_pixels_of_the_picture_given(scale: int) -> None:
    how = {"canvas": (320 * scale, 640 * scale), "size": 200 * scale, "pen": 12 * scale}
    page = np.minimum(on_white(digit=2, at=(0.25, 0.5), **how), on_white(digit=7, at=(0.75, 0.5), **how))
    rows, columns = np.nonzero(page < 128)
    (line,) = segment(Image.fromarray(page))
    left, top, right, bottom = zip(*(candidate.box for candidate in line.candidates), strict=True)
    found = (min(left), min(top), max(right), max(bottom))
    wanted = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= scale


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P"])
def test_any_mode_will_do(mnist: Gray, mode: str) -> None:
    (line,) = segment(written(row(mnist[:3], 10)).convert(mode))
    assert line.pieces >= 3


def test_light_on_dark_is_the_same_as_dark_on_light(mnist: Gray) -> None:
    dark = written(row(mnist[:3], 10))
    light = Image.fromarray(255 - np.asarray(dark))
    boxes = [[candidate.box for candidate in segment(picture)[0].candidates] for picture in (dark, light)]
    assert boxes[0] == boxes[1]


@pytest.mark.parametrize("blank", ["white", "noise", "ruled"])
def test_a_picture_without_digits_is_refused(blank: str) -> None:
    pages = {
        "white": np.full((200, 300), 255),
        "noise": np.random.default_rng(0).integers(0, 256, (200, 300)),
        "ruled": np.where(np.arange(200)[:, None] % 24 < 2, 120, np.full((200, 300), 240)),
    }
    with pytest.raises(NoDigitError, match="no digit found"):
        segment(Image.fromarray(pages[blank].astype(np.uint8)))


def test_ten_thousand_specks_are_refused() -> None:
    page = np.full((1200, 1200), 255, np.uint8)
    for row_, column in np.random.default_rng(0).integers(0, 1190, (10_000, 2)):
        page[row_ : row_ + 3, column : column + 3] = 0
    with pytest.raises(NoDigitError):
        segment(Image.fromarray(page))


def test_thousands_of_strokes_are_refused_before_any_is_framed() -> None:
    page = np.full((1200, 1200), 255, np.uint8)
    for top in range(1, 1190, 12):
        for left in range(3, 1190, 12):
            page[top : top + 8, left : left + 2] = 0
    with pytest.raises(PictureError, match=r"[\d,]+ strokes that may be digits, at most 256 are read at once; crop"):
        segment(Image.fromarray(page))
