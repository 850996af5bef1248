from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.artifact.repository import Repository
from core.data import mnist
from core.errors import NoDigitError, PictureError
from core.imaging import to_digit
from core.imaging.many import Candidate, Line
from core.inference.predict import Predictor, load
from core.inference.several import best_path, read_many
from tests.core.imaging.numbers import below, beside, row, sign, written
from tests.marks import NO_WARNING

pytestmark = NO_WARNING

Gray = NDArray[np.uint8]

ROOT = Path(__file__).parents[3]
BLANK = np.zeros((28, 28), np.uint8)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load(Repository(str(ROOT / "pretrained")), 1)[0]


@pytest.fixture(scope="module")
def digits() -> dict[int, Gray]:
    """Of each digit, five plain images: (5, 28, 28)."""
    data = mnist.load(ROOT / "data" / "mnist")
    return {digit: data.test_images[data.test_labels == digit][:5] for digit in range(10)}


def number(digits: dict[int, Gray], text: str, *, gap: int = 6) -> Gray:
    images = [digits[int(letter)][place % 5] for place, letter in enumerate(text)]
    return row(np.stack(images), gap)


def read(picture: Image.Image, predictor: Predictor) -> str:
    return "".join(str(found.digit) for found in read_many(picture, predictor))


@pytest.mark.parametrize("gap", [12, 4, 1])
def test_a_phone_number_is_read_from_left_to_right(predictor: Predictor, digits: dict[int, Gray], gap: int) -> None:
    assert read(written(number(digits, "0301987265", gap=gap)), predictor) == "0301987265"


def test_digits_that_touch_are_parted(predictor: Predictor, digits: dict[int, Gray]) -> None:
    touching = number(digits, "3526", gap=-1)
    assert read(written(touching), predictor) == "3526"


@pytest.mark.parametrize("turn", [-10, 10])
def test_a_sloping_line_is_read_in_order(predictor: Predictor, digits: dict[int, Gray], turn: float) -> None:
    assert read(written(number(digits, "48250967"), turn=turn), predictor) == "48250967"


def test_lines_are_read_from_top_to_bottom_whatever_their_size(predictor: Predictor, digits: dict[int, Gray]) -> None:
    large = np.kron(number(digits, "270"), np.ones((2, 2), np.uint8))
    assert read(written(below(large, number(digits, "85341"))), predictor) == "27085341"


@pytest.mark.parametrize("turn", [0, 5])
def test_a_table_is_read_row_by_row(predictor: Predictor, digits: dict[int, Gray], turn: float) -> None:
    rows = [
        beside(number(digits, "20"), number(digits, "6"), gap=90),
        beside(number(digits, "47"), number(digits, "3"), gap=90),
    ]
    assert read(written(below(*rows), turn=turn), predictor) == "206473"


@pytest.mark.parametrize("kind", ["point", "hyphen"])
def test_a_sign_between_digits_is_skipped(predictor: Predictor, digits: dict[int, Gray], kind: str) -> None:
    line = beside(number(digits, "273"), sign(kind), number(digits, "065"))
    assert read(written(line), predictor) == "273065"


def test_the_lines_of_a_table_are_no_digits(predictor: Predictor, digits: dict[int, Gray]) -> None:
    cells = np.pad(beside(number(digits, "20"), number(digits, "65"), gap=20), 12)
    cells[[0, 1, -2, -1]] = cells[:, [0, 1, -2, -1]] = 255
    middle = cells.shape[1] // 2
    cells[:, middle : middle + 2] = 255
    assert read(written(cells), predictor) == "2065"


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_has_the_answer_of_a_single_digit(predictor: Predictor, digits: dict[int, Gray], digit: int) -> None:
    picture = written(digits[digit][0])
    (found,) = read_many(picture, predictor)
    np.testing.assert_array_equal(found.image, to_digit(picture))
    np.testing.assert_array_equal(found.probabilities, predictor.probabilities(to_digit(picture)[None])[0])
    assert (found.digit, found.confidence) == (digit, found.probabilities.max())


@pytest.mark.parametrize("turn", [0, 10])
def test_each_box_lies_around_its_digit(predictor: Predictor, digits: dict[int, Gray], turn: float) -> None:
    picture = written(number(digits, "4825"), turn=turn)
    dark = np.asarray(picture) < 128
    outside = dark.copy()
    for found in read_many(picture, predictor):
        left, top, right, bottom = found.box
        inside = dark[top:bottom, left:right]
        assert inside.any(axis=1).mean() > 0.9, "hardly a bare row"
        assert inside.any(axis=0).mean() > 0.9, "hardly a bare column"
        outside[top:bottom, left:right] = False
    assert not outside.any()


def test_a_picture_without_a_digit_is_refused(predictor: Predictor) -> None:
    with pytest.raises(NoDigitError, match="no digit found"):
        read_many(Image.new("L", (200, 100), 255), predictor)


def test_more_digits_than_allowed_are_refused(predictor: Predictor, digits: dict[int, Gray]) -> None:
    picture = written(number(digits, "4825"))
    with pytest.raises(PictureError, match="4 strokes that may be digits, at most 3 are read at once; crop"):
        read_many(picture, predictor, most=3)
    assert len(read_many(picture, predictor, most=4)) == 4


# best_path


def line_of(*spans: tuple[int, int, float]) -> Line:
    """A line of candidates: first and last piece, and cost."""
    candidates = [Candidate(first, last, BLANK, (0, 0, 1, 1), cost) for first, last, cost in spans]
    return Line(max(last for _, last, _ in spans), candidates)


def test_the_path_has_the_greatest_total_of_scores_less_costs() -> None:
    line = line_of((0, 1, 0.0), (1, 2, 0.0), (0, 2, 1.0), (2, 3, 0.0))
    assert best_path(line, np.array([-1.0, -0.5, 0.0, -3.0])) == [2, 3], "-1 beats -1.5"
    assert best_path(line, np.array([-0.5, -0.4, 0.0, -3.0])) == [0, 1, 3], "-0.9 beats -1"


def test_the_order_of_the_candidates_does_not_matter() -> None:
    line = line_of((1, 2, 0.0), (0, 2, 1.0), (0, 1, 0.0))
    assert best_path(line, np.array([-0.4, 0.0, -0.5])) == [2, 0]
