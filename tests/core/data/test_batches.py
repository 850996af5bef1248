from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.data.batches import Batches
from core.errors import DatasetError


def numbered(count: int, shape: tuple[int, ...] = (3,)) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Images that hold their own number everywhere, with labels that follow from it."""
    x = np.broadcast_to(np.arange(count, dtype=np.float32).reshape(-1, *[1] * len(shape)), (count, *shape)).copy()
    return x, (np.arange(count) % 10).astype(np.uint8)


def shuffled(count: int, batch_size: int, seed: int = 0) -> Batches:
    return Batches(*numbered(count), batch_size=batch_size, rng=np.random.default_rng(seed))


def one_pass(batches: Batches) -> list[int]:
    """The numbers of the images in the order of one pass, each checked against its label."""
    order: list[int] = []
    for x, labels in batches:
        assert len(x) == len(labels) <= batches.batch_size
        assert (x == x[:, :1]).all()
        numbers = [int(n) for n in x[:, 0]]
        assert [n % 10 for n in numbers] == labels.tolist()
        order += numbers
    return order


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 200), batch_size=st.integers(1, 250), shuffle=st.booleans())
def test_every_image_comes_once_in_a_pass_with_its_own_label(count: int, batch_size: int, shuffle: bool) -> None:
    batches = Batches(*numbered(count), batch_size=batch_size, rng=np.random.default_rng(0) if shuffle else None)
    assert sorted(one_pass(batches)) == list(range(count))
    assert batches.images == count


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 200), batch_size=st.integers(1, 250))
def test_all_batches_are_full_except_the_last_which_holds_the_rest(count: int, batch_size: int) -> None:
    lengths = [len(x) for x, _ in shuffled(count, batch_size)]
    assert len(lengths) == len(shuffled(count, batch_size))
    assert set(lengths[:-1]) <= {batch_size}
    assert lengths[-1] == (count % batch_size or batch_size)


def test_each_pass_has_an_order_of_its_own() -> None:
    batches = shuffled(100, 7)
    orders = [tuple(one_pass(batches)) for _ in range(5)]
    assert len(set(orders)) == 5
    assert tuple(range(100)) not in orders


def test_one_seed_gives_the_same_orders_and_another_seed_gives_others() -> None:
    first, second, other = shuffled(100, 7), shuffled(100, 7), shuffled(100, 7, seed=1)
    for _ in range(3):
        order = one_pass(first)
        assert order == one_pass(second)
        assert order != one_pass(other)


def test_without_a_generator_the_given_order_is_kept_in_every_pass() -> None:
    batches = Batches(*numbered(50), batch_size=8)
    assert one_pass(batches) == one_pass(batches) == list(range(50))


@pytest.mark.parametrize("seed", [None, 0])
def test_the_images_themselves_are_not_changed(seed: int | None) -> None:
    x, labels = numbered(50)
    kept = x.copy(), labels.copy()
    rng = None if seed is None else np.random.default_rng(seed)
    one_pass(Batches(x, labels, batch_size=8, rng=rng))
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_pictures_of_any_shape_and_type_stay_as_they_are(dtype: type[np.generic]) -> None:
    x, labels = numbered(20, shape=(1, 4, 4))
    for batch, _ in Batches(x.astype(dtype), labels, batch_size=6, rng=np.random.default_rng(0)):
        assert batch.shape[1:] == (1, 4, 4)
        assert batch.dtype == dtype


def test_two_passes_at_once_do_not_disturb_each_other() -> None:
    batches = shuffled(40, 10)
    first = iter(batches)
    x, _ = next(first)
    kept = x.copy()
    assert sorted(one_pass(batches)) == list(range(40))
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize(
    ("images", "labels", "batch_size", "message"),
    [
        (3, 4, 2, "3 inputs, but 4 labels"),
        (0, 0, 2, "no images"),
        (3, 3, 0, "batch size 0, expected at least 1"),
        (3, 3, -1, "batch size -1, expected at least 1"),
    ],
)
def test_arrays_that_make_no_batches_are_refused(images: int, labels: int, batch_size: int, message: str) -> None:
    arrays: tuple[Any, Any] = np.zeros((images, 2), np.float32), np.zeros(labels, np.uint8)
    with pytest.raises(DatasetError, match=message):
        Batches(*arrays, batch_size=batch_size)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((3, 1), np.uint8), r"labels: uint8 \(3, 1\), expected integers \(N,\)"),
        (np.array([0, -1, 2]), "labels: -1 for image 1, expected 0 to 2"),
        (np.array([0, 1, 3]), "labels: 3 for image 2, expected 0 to 2"),
    ],
)
def test_labels_that_would_train_something_else_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Batches(np.zeros((3, 2), np.float32), labels, batch_size=2, classes=3)


def test_inputs_that_are_not_finite_are_refused_before_the_first_step() -> None:
    with pytest.raises(DatasetError, match="1 of 3 images hold a number that is NaN or infinite"):
        Batches(np.array([[0.0], [np.nan], [1.0]]), np.arange(3), batch_size=2)
