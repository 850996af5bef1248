"""The split, and how it divides a set of images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.labeled import Labeled
from core.data.split import Split
from core.errors import DatasetError


@settings(deadline=None, max_examples=100)
@given(data=st.data(), count=st.integers(2, 500), seed=st.integers(0, 2**32 - 1))
def test_a_split_is_disjoint_and_covers_the_set(data: st.DataObject, count: int, seed: int) -> None:
    validation = data.draw(st.integers(1, count - 1))
    split = Split.random(count, validation, seed=seed)
    assert len(split.validation) == validation
    assert sorted([*split.train.tolist(), *split.validation.tolist()]) == list(range(count))
    for side in (split.train, split.validation):
        assert side.tolist() == sorted(side.tolist())


def test_one_seed_gives_one_split_and_another_seed_another() -> None:
    first, second, other = (Split.random(100, 20, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.validation, second.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_a_split_takes_from_everywhere() -> None:
    split = Split.random(10_000, 5_000, seed=0)
    assert 2_300 < np.count_nonzero(split.validation < 5_000) < 2_700


@pytest.mark.parametrize(("count", "validation"), [(10, 0), (10, 10), (10, 11), (10, -1), (1, 1), (0, 0)])
def test_a_split_that_leaves_one_side_empty_is_refused(count: int, validation: int) -> None:
    with pytest.raises(DatasetError, match=f"cannot set {validation} of {count} images aside"):
        Split.random(count, validation, seed=0)


def labeled(count: int, first: int = 0) -> Labeled:
    """Images that are filled with their own number, so that each can be recognized."""
    numbers = np.arange(first, first + count, dtype=np.uint8)
    return Labeled(np.broadcast_to(numbers.reshape(-1, 1, 1), (count, 28, 28)), numbers % 10)


def numbers(images: Labeled) -> list[int]:
    np.testing.assert_array_equal(images.images[:, 0, 0] % 10, images.labels)
    return images.images[:, 0, 0].tolist()


def test_a_split_divides_images_and_labels_alike() -> None:
    split = Split.random(20, 5, seed=3)
    train, validation = split.divide(labeled(20))
    assert numbers(train) == split.train.tolist()
    assert numbers(validation) == split.validation.tolist()


def test_added_images_train_after_the_sets_own_and_never_validate() -> None:
    split = Split.random(20, 5, seed=3)
    train, validation = split.divide(labeled(20), labeled(4, first=100))
    assert numbers(train) == [*split.train.tolist(), 100, 101, 102, 103]
    assert numbers(validation) == split.validation.tolist()


def test_images_added_in_several_parts_follow_in_their_order() -> None:
    train, _ = Split.random(20, 15, seed=3).divide(labeled(20), labeled(2, first=100), labeled(1, first=50))
    assert numbers(train)[-3:] == [100, 101, 50]
