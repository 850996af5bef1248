"""Of all that was read, what may be learned."""

import numpy as np

from core.data.mnist import Mnist
from pipelines.new_data.collected import collect
from pipelines.new_data.item import SetAside
from pipelines.new_data.known import KnownPictures
from pipelines.new_data.reviews import Decisions

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
    three, seven = item(1, shows=3, place="a"), item(1, shows=7, source="feedback /b", place="c")
    found = collected(three, item(2), seven)
    assert len(found.items) == 1
    assert found.contradicted == (three, seven)
    a, c = three.name[:12], seven.name[:12]
    what = "of the same picture; accept what is right or reject what is wrong, with python -m pipelines feedback"
    assert [str(each) for each in found.set_aside] == [
        f"/new/a: says 3 ({a}), and c of feedback /b says 7 ({c}) {what}",
        f"/b/c: says 7 ({c}), and a of extra /new says 3 ({a}) {what}",
    ]
    assert [each.name for each in found.set_aside] == [three.name, seven.name]


def test_what_is_rejected_contradicts_nothing_and_is_still_listed() -> None:
    right, wrong = item(1, shows=3), item(1, shows=7, source="feedback /b")
    found = collected(right, wrong, decided=Decisions(rejected=frozenset({wrong.name})))
    assert set(found.items) == {right, wrong}
    assert (found.set_aside, found.contradicted) == ((), ())


def test_what_is_accepted_is_contradicted_by_nobody_who_sends_the_picture_later() -> None:
    right, *others = (item(1, shows=digit) for digit in (3, 7, 9))
    found = collected(right, *others, decided=Decisions(accepted=frozenset({right.name})))
    assert found.items == (right,)
    assert [each.name for each in found.set_aside] == [other.name for other in others]


def test_of_two_digits_that_are_both_accepted_neither_is_learned() -> None:
    both = item(1, shows=3), item(1, shows=7)
    found = collected(*both, decided=Decisions(accepted=frozenset(each.name for each in both)))
    assert (found.items, found.contradicted) == ((), both)


def test_pictures_of_the_data_set_are_left_out_whatever_digit_they_are_given() -> None:
    labels = np.zeros(1, np.uint8)
    known = KnownPictures(Mnist(digit(1)[np.newaxis], labels, digit(2)[np.newaxis], labels))
    found = collect([item(1), item(2, shows=9), item(2, shows=8), item(3)], ["extra /new"], known.copies, Decisions())
    assert [each.name for each in found.items] == [item(3).name]
    assert dict(found.known) == {"extra /new": 3}


def test_what_was_set_aside_stays_so() -> None:
    odd = SetAside("extra /new", "a", "it is odd")
    assert collected(odd, item(1)).set_aside == (odd,)
