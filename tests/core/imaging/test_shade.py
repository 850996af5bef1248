import numpy as np
import pytest

from core.imaging.ink import find_ink
from core.imaging.shade import without_shade
from tests.core.imaging.drawn import Gray, ink, lit, noise


def shaded(strength: float) -> Gray:
    """A digit whose foot touches the corner of a shadow that reaches in from the right."""
    paper = np.full((320, 320), 220.0)
    paper[240:, 200:] *= 1 - strength
    return lit(paper + noise((320, 320), 1), ink(), strength=0.75)


def test_a_shadow_that_touches_the_digit_is_left_out() -> None:
    alone = find_ink(lit(np.full((320, 320), 220.0), ink(), strength=0.75)).box
    assert np.abs(np.subtract(find_ink(shaded(0.3)).box, alone)).max() <= 4


@pytest.mark.parametrize("weakest", [0.3, 0.5, 1.0])
def test_ink_that_fades_along_a_stroke_is_no_shadow(weakest: float) -> None:
    pressure = np.linspace(weakest, 1, 320)[:, None]
    page = lit(np.full((320, 320), 220.0), ink() * pressure, strength=0.75)
    found = find_ink(page)
    assert np.array_equal(without_shade(page, found).mask, found.mask)
    assert found.size > 200
