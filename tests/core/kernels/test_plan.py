import pytest

from core.kernels.plan import Plan
from core.kernels.window import Window


def test_the_plan_depends_on_the_shapes_alone() -> None:
    rows, columns = Window.valid(28, 5, 1), Window.valid(28, 5, 1)
    assert Plan.cheapest(rows, columns, 1, 8) == Plan.cheapest(rows, columns, 1, 8)


def test_few_channels_take_wide_tiles_and_many_take_patches() -> None:
    columns = Window.same(28, 3, 1)
    assert Plan.cheapest(columns, columns, 1, 8).ahead.tile > 1
    assert Plan.cheapest(columns, columns, 64, 64).ahead.tile == 1


def test_a_stride_is_never_mirrored() -> None:
    columns = Window.same(28, 3, 2)
    assert not Plan.cheapest(columns, columns, 16, 16).mirrored


@pytest.mark.parametrize("width", [1, 13, 10**12])
def test_a_plan_is_found_at_once_for_any_width(width: int) -> None:
    assert width % Plan.cheapest(Window.same(28, 3, 1), Window.same(width, 3, 1), 1, 8).ahead.tile == 0
