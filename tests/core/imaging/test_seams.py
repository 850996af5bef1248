import numpy as np
import pytest

from core.imaging.seams import seams
from tests.floats import close


def blocks(gap: slice, bridge: slice) -> np.ndarray:
    """Two blocks, 40 rows high, with bare columns between them but for some rows."""
    mask = np.ones((40, 60), np.bool_)
    mask[:, gap] = False
    mask[bridge, gap] = True
    return mask


def test_a_path_crosses_a_bridge_and_nothing_else() -> None:
    mask = blocks(slice(25, 35), slice(18, 22))
    (seam,) = [seam for seam in seams(mask, 4.0) if seam.crossed < 1.5]
    assert ((seam.columns >= 25) & (seam.columns < 35)).all()
    assert seam.crossed == close(1, abs=0.1, why="4 rows of ink, strokes 4 pixels wide, and steps to the side")


def test_a_path_follows_a_slanted_gap() -> None:
    rows, columns = np.mgrid[0:40, 0:80]
    middle = 55 - rows * 0.7
    mask = np.abs(columns - middle) > 3
    best = min(seams(mask, 4.0), key=lambda seam: seam.crossed)
    assert np.abs(best.columns - middle[:, 0]).max() <= 4


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_paths_do_not_depend_on_the_resolution(scale: int) -> None:
    mask = blocks(slice(25, 35), slice(18, 22))
    large = np.kron(mask, np.ones((scale, scale), np.bool_)).astype(np.bool_)
    found = [seam.columns.mean() / scale for seam in seams(large, 4.0 * scale)]
    assert len(found) == len(seams(mask, 4.0))


def test_solid_ink_is_not_cut() -> None:
    assert seams(np.ones((40, 60), np.bool_), 4.0) == []


def test_a_narrow_stroke_is_not_cut() -> None:
    assert seams(np.ones((40, 5), np.bool_), 5.0) == []
