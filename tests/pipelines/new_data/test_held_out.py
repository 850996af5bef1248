"""A share of new data is never trained on, and no picture wanders from one side to the other."""

import pytest

from pipelines.new_data.held_out import divide, labeled

from .given import item

ITEMS = [item(number) for number in range(400)]


def names(share: float, items: list = ITEMS) -> tuple[set[str], set[str]]:  # type: ignore[type-arg]
    training, apart = divide(items, share)
    return {each.name for each in training}, {each.name for each in apart}


def test_both_sides_together_are_all_items_in_their_order() -> None:
    training, apart = divide(ITEMS, 0.3)
    assert sorted([*training, *apart], key=ITEMS.index) == ITEMS
    assert training == sorted(training, key=ITEMS.index)


@pytest.mark.parametrize(("share", "fewest", "most"), [(0.0, 0, 0), (0.1, 20, 65), (0.5, 160, 240)])
def test_about_the_share_is_held_out(share: float, fewest: int, most: int) -> None:
    assert fewest <= len(names(share)[1]) <= most


def test_a_picture_stays_on_its_side_whatever_else_comes_or_goes() -> None:
    apart = names(0.2)[1]
    assert names(0.2, ITEMS[::3])[1] == {each.name for each in ITEMS[::3]} & apart


def test_a_picture_that_is_given_another_digit_stays_on_its_side() -> None:
    renamed = [item(number, shows=(each.label + 1) % 10) for number, each in enumerate(ITEMS)]
    sides = [[each.image.tobytes() for each in divide(items, 0.2)[1]] for items in (ITEMS, renamed)]
    assert sides[0] == sides[1]


def test_a_larger_share_holds_out_all_that_a_smaller_one_does() -> None:
    assert names(0.1)[1] < names(0.2)[1]


def test_no_items_are_no_images() -> None:
    assert len(labeled([])) == 0
