import numpy as np
import pytest
from PIL import Image

from core.drawing.papers import SHEETS, written
from core.drawing.programs import PATHS, by_a_program
from core.errors import NoDigitError
from core.imaging import from_array, to_digit
from tests.core.imaging.drawn import STROKES, Gray, on_white
from tests.core.imaging.first.test_first_picture import digest, enlarged
from tests.core.imaging.test_scenes import SCENES
from tests.marks import NO_WARNING

pytestmark = NO_WARNING

# Of framing 2. From the first release that publishes versions with it, they never change: whoever has to change one
# changes what published versions answer, and wants a new framing instead.
DIGESTS: dict[str, str] = {
    "white on black": "8c26445e9e21247c",
    "pencil, pale": "71fc07ecd4133171",
    "off-center": "cfe2b3666f17d546",
    "tiny": "c8d19c413b7aa0fa",
    "a third of it in a huge picture": "a1b6772c76001acc",
    "a speck in a huge picture": "5b8b2ba352717a2d",
    "a speck in a grainy photo": "3f19e7b171a215a1",
    "thin line": "9e11d4639e46edef",
    "thin line, large": "27eff81405400c5b",
    "thick brush": "bf809d3894b22f64",
    "uneven light": "1a9eb469f5cd6b0e",
    "dark photo": "04e77a56f13e9e47",
    "vignette": "0c89f1987d56d390",
    "hard shadow": "01fd93068682dd5c",
    "soft shadow": "03556a861444a6ba",
    "paper texture": "58c874478fd238c5",
    "chalk on a board": "7478a7ec1824219f",
    "ruled paper": "36dd69b4d46118e3",
    "dust": "0a1380595afba116",
    "on a table": "1282098337740de1",
    "on wood": "60e32a8db2602d26",
    "on a carpet": "05e41bfde31478df",
    "with dark corners": "c97544f707128e0c",
    "above a line of writing": "61505bcf3d6d5064",
    "inside a drawn frame": "8c26445e9e21247c",
    "on a gray desktop": "590df1b633943c35",
    "with a black border": "8c26445e9e21247c",
    "beside a finger": "8aacb0f81df88598",
    "out of focus": "c75d4d0e2bea992d",
    "ruled, scanned": "1885109dbaf59b70",
    "ruled by the same pen": "8e43bca293853700",
    "squared, scanned": "77e2b81b5ff6576f",
    "cropped tightly": "734e03e3902793b5",
    "cut by an edge": "6bbed2049551897b",
    "drawn": "d11055341c65d71a",
    "by programs": "e7bc342f91207931",
    "MNIST, enlarged": "f6d24a9a92bdaa66",
}

# Of those that no camera took: JPEG libraries differ in the last bit.
PAPERS = ("ruled, scanned", "ruled by the same pen", "squared, scanned", "cropped tightly", "cut by an edge")


def second(picture: Gray) -> Gray:
    """The digit in framing 2; blank, where it finds none."""
    try:
        return to_digit(Image.fromarray(picture), framing=2)
    except NoDigitError:
        return np.zeros((28, 28), np.uint8)


def on_paper(kind: str, images: Gray) -> list[Gray]:
    rngs = [np.random.default_rng(number) for number in range(len(images))]
    return [SHEETS[kind](written(image, rng), rng) for image, rng in zip(images, rngs, strict=True)]


def by_programs() -> list[Gray]:
    return [by_a_program(digit, np.random.default_rng(digit), pen=pen) for digit in PATHS for pen in (1, 2.5, 6)]


class TestFramingTwo:
    @pytest.mark.parametrize("scene", SCENES)
    def test_a_scene_gives_the_same_digit_to_the_bit(self, scene: str) -> None:
        assert digest([second(SCENES[scene]())]) == DIGESTS[scene]

    @pytest.mark.parametrize("kind", PAPERS)
    def test_a_paper_gives_the_same_digits_to_the_bit(self, kind: str, mnist: Gray) -> None:
        assert digest([second(picture) for picture in on_paper(kind, mnist[:10])]) == DIGESTS[kind]

    def test_what_is_drawn_gives_the_same_digits_to_the_bit(self) -> None:
        pens = [second(on_white(digit=digit, pen=pen)) for digit in STROKES for pen in (1, 3, 9, 27)]
        assert digest(pens) == DIGESTS["drawn"]
        assert digest([second(picture) for picture in by_programs()]) == DIGESTS["by programs"]

    def test_mnist_digits_give_the_same_digits_to_the_bit(self, mnist: Gray) -> None:
        assert digest([second(image) for image in 255 - mnist[:100]]) == digest(list(mnist[:100]))
        assert digest([second(enlarged(image)) for image in mnist[:100]]) == DIGESTS["MNIST, enlarged"]

    def test_it_is_the_framing_that_is_used_unless_another_one_is_asked_for(self) -> None:
        assert np.array_equal(from_array(on_white()), second(on_white()))
