from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from core.errors import NoDigitError
from core.imaging import digit_from_bytes, from_array, to_digit
from tests.core.imaging.drawn import REFERENCE, Gray, encoded, grain, ink, likeness, lit, noise, on_white
from tests.marks import NO_WARNING

pytestmark = NO_WARNING


def shadowed(edge: float) -> Gray:
    """A page of which the lower right half lies in shadow; the shadow's edge is `edge` pixels wide."""
    rows, columns = np.mgrid[0:320, 0:320]
    shade = np.clip((rows + columns - 320) / edge + 0.5, 0, 1)
    return lit(210 * (1 - 0.5 * shade) + noise((320, 320), 2), ink())


def vignetted() -> Gray:
    rows, columns = np.mgrid[0:320, 0:320] / 160 - 1
    return lit(210 * (1 - 0.35 * (rows**2 + columns**2)), ink())


def ruled() -> Gray:
    paper = np.full((320, 320), 225.0)
    paper[10::24] -= 35
    paper[11::24] -= 35
    return lit(paper, ink(), strength=0.8)


def dusty() -> Gray:
    page = lit(200 + noise((320, 320), 2), ink()).copy()
    for row, column in np.random.default_rng(1).integers(0, 316, (25, 2)):
        page[row : row + 3, column : column + 3] = 90
    return page


def on_a_table() -> Gray:
    """A sheet that lies a little askew on a dark, grainy table."""
    sheet = Image.new("L", (420, 420), 0)
    ImageDraw.Draw(sheet).polygon([(40, 20), (400, 45), (385, 400), (15, 380)], fill=255)
    table = 80 + noise((420, 420), 8)
    return np.where(np.asarray(sheet) > 0, lit(210 + noise((420, 420), 2), ink(canvas=(420, 420))), table).astype(
        np.uint8
    )


def on_wood() -> Gray:
    """A small sheet on a table whose grain is as wide as the strokes."""
    sheet = Image.new("L", (600, 600), 0)
    ImageDraw.Draw(sheet).polygon([(150, 120), (470, 150), (440, 500), (130, 470)], fill=255)
    rows, columns = np.mgrid[0:600, 0:600]
    wood = 110 + 12 * np.sin(rows / 4 + 3 * np.sin(columns / 60)) + noise((600, 600), 4)
    page = lit(215 + noise((600, 600), 2), ink(canvas=(600, 600), size=200, pen=9))
    return np.where(np.asarray(sheet) > 0, page, wood).astype(np.uint8)


def on_carpet() -> Gray:
    """A sheet that covers a third of a picture of a carpet with a pattern as dark as the ink is on the sheet."""
    carpet = 120 + grain((800, 600), 16, size=4)
    page = lit(215 + noise((800, 600), 3), ink(canvas=(800, 600), size=220, pen=10))
    carpet[180:640, 130:480] = page[180:640, 130:480]
    return np.clip(carpet, 0, 255).astype(np.uint8)


def with_dark_corners() -> Gray:
    page = lit(200 + noise((320, 320), 2), ink(size=180)).copy()
    rows, columns = np.mgrid[0:320, 0:320]
    page[rows + columns < 110] = 60
    page[rows - columns > 230] = 70
    return page


def above_a_line_of_writing() -> Gray:
    page = on_white(size=170, at=(0.5, 0.4)).copy()
    for column in range(20, 300, 9):
        page[290:, column : column + 3] = 0
    page[300:304, 20:300] = 0
    return page


def framed_by_a_line() -> Gray:
    page = on_white()
    page[8:312, [8, 9, 10, 309, 310, 311]] = 60
    page[[8, 9, 10, 309, 310, 311], 8:312] = 60
    return page


def on_a_desktop() -> Gray:
    return np.pad(on_white(), ((60, 90), (150, 120)), constant_values=110)


def with_a_black_border() -> Gray:
    return np.pad(on_white(), 9)


def beside_a_finger() -> Gray:
    rows, columns = np.mgrid[0:320, 0:320]
    shade = np.clip((120 - np.hypot(rows - 320, columns)) / 20, 0, 1)
    return lit(200 * (1 - 0.6 * shade) + noise((320, 320), 2), ink(size=200, at=(0.6, 0.45)))


SCENES: dict[str, Callable[[], Gray]] = {
    "white on black": lambda: 255 - on_white(),
    "pencil, pale": lambda: lit(200 + noise((320, 320), 2), ink(), strength=0.15),
    "off-center": lambda: on_white(size=120, at=(0.25, 0.7), pen=7),
    "tiny": lambda: on_white(size=26, pen=2),
    "a third of it in a huge picture": lambda: on_white(canvas=(2400, 3000), size=900, pen=45),
    "a speck in a huge picture": lambda: on_white(canvas=(2000, 2600), size=110, at=(0.8, 0.3), pen=6),
    "a speck in a grainy photo": lambda: lit(
        200 + noise((2000, 2600), 6), ink(canvas=(2000, 2600), size=80, at=(0.8, 0.3), pen=6)
    ),
    "thin line": lambda: on_white(pen=2),
    "thin line, large": lambda: on_white(canvas=(700, 700), size=600, pen=1),
    "thick brush": lambda: on_white(pen=45),
    "uneven light": lambda: lit(np.linspace(60, 220, 320)[None] + noise((320, 320), 2), ink()),
    "dark photo": lambda: lit(45 + noise((320, 320), 2), ink()),
    "vignette": vignetted,
    "hard shadow": lambda: shadowed(1),
    "soft shadow": lambda: shadowed(60),
    "paper texture": lambda: lit(190 + noise((320, 320), 9), ink()),
    "chalk on a board": lambda: np.clip(50 + noise((320, 320), 6) + 140 * ink(), 0, 255).astype(np.uint8),
    "ruled paper": ruled,
    "dust": dusty,
    "on a table": on_a_table,
    "on wood": on_wood,
    "on a carpet": on_carpet,
    "with dark corners": with_dark_corners,
    "above a line of writing": above_a_line_of_writing,
    "inside a drawn frame": framed_by_a_line,
    "on a gray desktop": on_a_desktop,
    "with a black border": with_a_black_border,
    "beside a finger": beside_a_finger,
    "out of focus": lambda: np.asarray(Image.fromarray(on_white()).filter(ImageFilter.GaussianBlur(4))),
}


class TestOneDigitInManyScenes:
    @pytest.mark.parametrize("scene", SCENES)
    def test_it_comes_out_nearly_the_same(self, scene: str) -> None:
        assert likeness(to_digit(Image.fromarray(SCENES[scene]())), REFERENCE) > 0.9

    @pytest.mark.parametrize("quality", [90, 30, 8])
    def test_jpeg_noise_does_not_matter(self, quality: int) -> None:
        assert likeness(digit_from_bytes(encoded(on_white(), "JPEG", quality=quality)), REFERENCE) > 0.95

    @pytest.mark.parametrize(
        ("pen", "paper"),
        [
            ((255, 235, 40), (255, 255, 255)),
            ((200, 60, 60), (60, 130, 60)),
            ((30, 30, 120), (240, 235, 220)),
            ((235, 235, 235), (28, 30, 38)),
        ],
        ids=["yellow on white", "red on green", "blue on cream", "white on slate"],
    )
    def test_any_two_colors_will_do(self, pen: tuple[int, ...], paper: tuple[int, ...]) -> None:
        cover = ink()[..., None]
        colored = (cover * pen + (1 - cover) * paper).astype(np.uint8)
        assert likeness(from_array(colored), REFERENCE) > 0.95

    def test_a_stroke_that_does_not_touch_the_rest_is_kept(self) -> None:
        apart = on_white(digit=5)
        joined = apart.copy()
        joined[60:68, 130:160] = 0  # closes the gap between the body of the 5 and its bar
        assert likeness(to_digit(Image.fromarray(apart)), to_digit(Image.fromarray(joined))) > 0.95

    def test_a_small_digit_in_a_large_picture_is_seen_from_near(self) -> None:
        alone = to_digit(Image.fromarray(on_white(canvas=(80, 80), size=40, pen=3)))
        lost = to_digit(Image.fromarray(on_white(canvas=(1800, 2400), size=40, at=(0.8, 0.3), pen=3)))
        assert likeness(lost, alone) > 0.98

    def test_a_digit_in_short_dashes_stays_whole(self) -> None:
        dashed = on_white()
        dashed[::40] = dashed[1::40] = dashed[2::40] = 255
        assert likeness(to_digit(Image.fromarray(dashed)), REFERENCE) > 0.85

    @pytest.mark.parametrize("pen", [2, 4, 8, 16, 30])
    def test_strokes_come_out_about_as_thick_as_those_of_mnist(self, pen: int, mnist: Gray) -> None:
        usual = np.percentile(mnist.mean(axis=(1, 2)), [5, 95])
        assert usual[0] < to_digit(Image.fromarray(on_white(pen=pen))).mean() < usual[1]


class TestNoDigit:
    BLANKS: ClassVar[dict[str, Callable[[], Gray]]] = {
        "white": lambda: np.full((200, 200), 255, np.uint8),
        "black": lambda: np.zeros((28, 28), np.uint8),
        "one pixel": lambda: np.full((1, 1), 90, np.uint8),
        "an even gradient": lambda: np.tile(np.linspace(40, 220, 300).astype(np.uint8), (300, 1)),
        "grain": lambda: np.clip(190 + noise((300, 300), 6), 0, 255).astype(np.uint8),
        "strong grain": lambda: np.clip(128 + noise((300, 300), 30), 0, 255).astype(np.uint8),
        "grain, 20×20": lambda: np.clip(128 + noise((20, 20), 20), 0, 255).astype(np.uint8),
        "coarse grain": lambda: np.clip(190 + grain((200, 200), 12, size=5), 0, 255).astype(np.uint8),
        "pepper, 20×20": lambda: np.where(np.random.default_rng(0).random((20, 20)) < 0.03, 0, 255).astype(np.uint8),
        "pepper": lambda: np.where(np.random.default_rng(0).random((300, 300)) < 0.1, 0, 255).astype(np.uint8),
        "ruled paper": lambda: np.where(np.arange(300) % 40 < 2, 170 + noise((300, 300), 3), 210.0).astype(np.uint8),
        "squared paper": lambda: np.tile(
            np.pad(np.full((23, 23), 230, np.uint8), (2, 0), constant_values=150), (12, 12)
        ),
        "a weave": lambda: (180 + 25 * np.sin(np.arange(300) / 2.5) * np.sin(np.arange(300) / 2.5)[:, None]).astype(
            np.uint8
        ),
        "a dark border": lambda: np.where(np.arange(300) < 9, 60 + noise((300, 300), 2), 210.0).astype(np.uint8),
        "pixels at random": lambda: np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8),
        "pixels at random, 28×28": lambda: np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8),
        "salt": lambda: np.where(np.random.default_rng(0).random((300, 300)) < 0.02, 255, 0).astype(np.uint8),
        "shadow on blank paper": lambda: lit(
            np.where(np.arange(300) < 140, 210.0, 120.0)[None] + noise((300, 300), 2), np.zeros(())
        ),
    }

    @pytest.mark.parametrize("seed", range(1, 12))
    def test_what_is_left_of_a_noisy_line_is_no_digit(self, seed: int) -> None:
        grain = np.random.default_rng(seed).normal(0, 3, (300, 300))
        page = np.where(np.arange(300) % 40 < 2, 170 + grain, 210).astype(np.uint8)
        with pytest.raises(NoDigitError):
            to_digit(Image.fromarray(page))

    @pytest.mark.parametrize("blank", BLANKS)
    def test_a_picture_without_one_is_refused(self, blank: str) -> None:
        with pytest.raises(NoDigitError, match=r"no digit found: gray levels \d+ to \d+, .+; write one digit"):
            to_digit(Image.fromarray(self.BLANKS[blank]()))
