import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from core.imaging.components import components
from core.imaging.morphology import closing, dilation
from core.imaging.strokes import distance
from tests.core.imaging.drawn import Gray
from tests.floats import assert_same_function, by_hand
from tests.marks import NO_WARNING

pytestmark = NO_WARNING


def flood_filled(mask: NDArray[np.bool_]) -> list[set[tuple[int, int]]]:
    """The 8-connected components, pixel by pixel: the plain twin of `components`."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    found = []
    while left:
        todo = [left.pop()]
        component = set(todo)
        while todo:
            row, column = todo.pop()
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            component |= near
            todo += near
        found.append(component)
    return found


class TestAgainstPlainTwins:
    @given(npst.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14))))
    @settings(max_examples=200, deadline=None)
    def test_components_are_those_of_a_flood_fill(self, mask: NDArray[np.bool_]) -> None:
        weights = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
        parts = components(mask, weights)
        count = len(parts.area)

        mine = []
        for one in np.eye(count, dtype=bool):
            pixels = np.argwhere(parts.paint(one))
            mine.append({(int(row), int(column)) for row, column in pixels})
            rows, columns = pixels.T
            assert parts.box(one) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert parts.area[one] == len(pixels)
            assert parts.mass[one] == weights[rows, columns].sum()
            outline = sum(
                not (0 <= r + i < mask.shape[0] and 0 <= c + j < mask.shape[1] and mask[r + i, c + j])
                for r, c in pixels
                for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0))
            )
            assert parts.thickness[one] == by_hand(2 * len(pixels) / (outline * np.pi / 4))

        assert sorted(map(sorted, mine)) == sorted(map(sorted, flood_filled(mask)))

    @given(npst.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(1, 6))
    @settings(max_examples=100, deadline=None)
    def test_distances_are_those_to_the_nearest_pixel_outside(self, mask: NDArray[np.bool_], reach: int) -> None:
        outside = np.argwhere(~mask)
        expected = np.full(mask.shape, float(reach))
        for row, column in np.ndindex(mask.shape):
            if len(outside):
                nearest = np.hypot(*(outside - (row, column)).T).min()
                expected[row, column] = min(reach, nearest)
        assert_same_function(distance(mask, reach), expected, terms=2, dtype=np.float32)

    @given(npst.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(1, 5))
    @settings(max_examples=100, deadline=None)
    def test_dilation_takes_the_greatest_neighbor(self, gray: Gray, reach: int) -> None:
        expected = np.empty_like(gray)
        for row, column in np.ndindex(gray.shape):
            window = gray[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
            expected[row, column] = window.max()
        assert np.array_equal(dilation(gray, reach), expected)

    def test_closing_fills_a_narrow_stroke_and_leaves_a_wide_shadow(self) -> None:
        page = np.full((60, 60), 200, np.uint8)
        page[:, 40:] = 90
        stroke = page.copy()
        stroke[10:50, 20:24] = 10
        assert np.array_equal(closing(stroke, 9), page)
