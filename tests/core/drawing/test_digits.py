import numpy as np
import pytest

from core.drawing.digits import STYLES
from core.drawing.hand import Hand


@pytest.mark.parametrize("name", STYLES)
def test_the_name_of_a_style_begins_with_its_digit(name: str) -> None:
    assert name.split()[0] == str(STYLES[name].digit)


def test_every_digit_has_a_style() -> None:
    assert {style.digit for style in STYLES.values()} == set(range(10))


@pytest.mark.parametrize("name", STYLES)
def test_a_digit_is_about_one_high_and_not_much_wider(name: str) -> None:
    for seed in range(30):
        points = np.concatenate(STYLES[name].draw(Hand(np.random.default_rng(seed))))
        width, height = np.ptp(points, axis=0)
        assert 0.85 < height < 1.35, seed
        assert width < 1.1, seed


@pytest.mark.parametrize("name", [name for name in STYLES if "flag" in name])
def test_the_flag_of_a_one_hangs_down_more_steeply_than_the_bar_of_a_seven(name: str) -> None:
    for seed in range(100):
        above_the_foot = [s for s in STYLES[name].draw(Hand(np.random.default_rng(seed))) if s[0, 1] < 0.75]
        flag = min(above_the_foot, key=lambda stroke: stroke[0, 0])
        tip, top = flag[0], flag[flag[:, 1].argmin()]
        assert tip[1] - top[1] > 0.3 * (top[0] - tip[0]), seed


@pytest.mark.parametrize("name", [name for name in STYLES if name.startswith("7")])
def test_the_bar_of_a_seven_is_nearly_level(name: str) -> None:
    for seed in range(100):
        stroke = STYLES[name].draw(Hand(np.random.default_rng(seed)))[0]
        corner = stroke[:, 0].argmax()
        left = stroke[: corner + 1][stroke[: corner + 1, 1].argmin()]
        assert abs(stroke[corner, 1] - left[1]) < 0.3 * abs(stroke[corner, 0] - left[0]) + 0.12, seed


def test_a_crossed_seven_has_one_stroke_more_than_a_plain_one() -> None:
    count = {name: len(STYLES[name].draw(Hand(np.random.default_rng(0)))) for name in ("7", "7 crossed")}
    assert count == {"7": 1, "7 crossed": 2}


@pytest.mark.parametrize(("name", "crosses"), [("4 open", True), ("4 open, not crossed", False), ("4 closed", True)])
def test_the_bar_of_a_four_goes_beyond_its_stem_or_ends_there(name: str, crosses: bool) -> None:
    for seed in range(100):
        # Without jitter, so that the ends of the strokes are where the style puts them.
        bar, stem = STYLES[name].draw(Hand(np.random.default_rng(seed), jitter=0))
        end, (top, foot) = bar[-1], (stem[0], stem[-1])
        beyond = end[0] - np.interp(end[1], [top[1], foot[1]], [top[0], foot[0]])
        assert (beyond > 0) if crosses else (abs(beyond) < 0.12), seed
