import pytest

from core.drawing.hershey import font


def test_a_plain_capital_a_has_three_strokes() -> None:
    assert font("futural")["A"] == ([(0, -12), (-8, 9)], [(0, -12), (8, 9)], [(-5, 2), (5, 2)])


def test_what_is_not_drawn_is_left_out() -> None:
    assert " " not in font("futural")
    assert set("AZaz09") <= font("futural").keys()


def test_a_font_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="comic"):
        font("comic")
