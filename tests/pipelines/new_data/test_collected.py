"""Of all that was read, what may be learned."""

import numpy as np

from core.data.mnist import Mnist
from pipelines.new_data.collected import collect
from pipelines.new_data.item import SetAside
from pipelines.new_data.known import KnownPictures

from .given import collected, digit, item


def test_items_are_sorted_by_their_names_wherever_they_were_found() -> None:
    one, other = item(1, source="extra /a"), item(2, source="feedback /b")
    found = collected(one, other)
    assert [each.name for each in found.items] == sorted([one.name, other.name])
    assert [each.name for each in collected(other, one).items] == [each.name for each in found.items]


def test_an_item_that_comes_again_counts_once_as_that_of_its_first_source() -> None:
    found = collected(item(1, source="feedback /b"), item(1, source="extra /a"), item(1, source="extra /a"))
    assert [each.source for each in found.items] == ["feedback /b"]
    assert (dict(found.repeated), found.set_aside) == ({"extra /a": 2}, ())


def test_of_a_picture_with_two_digits_neither_is_learned() -> None:
    found = collected(item(1, shows=3, place="a"), item(2), item(1, shows=7, source="feedback /b", place="c"))
    assert len(found.items) == 1
    assert [str(each) for each in found.set_aside] == [
        "/new/a: says 3, and c of feedback /b says 7 of the same picture; remove what is wrong",
        "/b/c: says 7, and a of extra /new says 3 of the same picture; remove what is wrong",
    ]


def test_pictures_of_the_data_set_are_left_out_whatever_digit_they_are_given() -> None:
    labels = np.zeros(1, np.uint8)
    known = KnownPictures(Mnist(digit(1)[np.newaxis], labels, digit(2)[np.newaxis], labels))
    found = collect([item(1), item(2, shows=9), item(2, shows=8), item(3)], ["extra /new"], known.copies)
    assert [each.name for each in found.items] == [item(3).name]
    assert dict(found.known) == {"extra /new": 3}


def test_what_was_set_aside_stays_so() -> None:
    odd = SetAside("extra /new", "a", "it is odd")
    assert collected(odd, item(1)).set_aside == (odd,)
