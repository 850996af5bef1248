"""Caps on new pictures: in all, of one source, of one digit; which are taken depends on nothing but the pictures."""

import random

import pytest

from pipelines.new_data.caps import over_the_caps
from pipelines.new_data.rules import TrustSection
from tests.pipelines.new_data.new_items import plain

RULE = TrustSection()


@pytest.mark.parametrize(
    ("labels", "sources", "taken", "setting"),
    [
        (10, 10, 200, "data.trust.cap"),
        (10, 1, 100, "data.trust.source_cap"),
        (1, 10, 40, "data.trust.digit_cap"),
    ],
)
def test_no_more_are_taken_than_each_cap_allows(labels: int, sources: int, taken: int, setting: str) -> None:
    items = [plain(n % labels, n, f"source {n // labels % sources}") for n in range(300)]
    over = over_the_caps(items, frozenset(), RULE, train_images=1000)
    assert len(items) - len(over) == taken
    assert {setting} == {words.rpartition("(")[2].rstrip(")") for words in over.values()}


def test_the_choice_is_the_same_in_any_order_and_hardly_changes_with_another_picture() -> None:
    items = [plain(n % 10, n) for n in range(60)]
    over = over_the_caps(items, frozenset(), RULE, train_images=300)
    shuffled = random.Random(1).sample(items, len(items))
    assert over_the_caps(shuffled, frozenset(), RULE, train_images=300) == over
    more = over_the_caps([*items, plain(0, 99)], frozenset(), RULE, train_images=300)
    assert len(over.keys() - more.keys()) <= 1


def test_what_people_have_accepted_is_taken_first() -> None:
    items = [plain(n % 10, n) for n in range(60)]
    over = over_the_caps(items, frozenset(), RULE, train_images=300)
    wanted = set(list(over)[:5])
    assert not wanted & over_the_caps(items, wanted, RULE, train_images=300).keys()
