"""Batches with preparation, in background threads or without, and batches from a memory map."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data import idx
from core.data.batches import Batches
from core.data.large import memory_map
from core.data.normalize import Normalizer
from core.data.shuffle import Blocks
from core.errors import DatasetError
from tests.threads import alive

COUNT = 103
IMAGES = np.random.default_rng(1).integers(0, 256, (COUNT, 4, 4), np.uint8)
LABELS = np.arange(COUNT, dtype=np.uint8)  # each image's own number
WORKERS = [0, 1, 2, 5]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert alive("ahead") == 0


def noisy(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """An augmentation that depends on each number the generator gives, and flattens."""
    return (images + rng.random(images.shape, np.float32)).reshape(len(images), -1)


def batches(**changed: Any) -> Batches:
    options = {"batch_size": 10, "rng": np.random.default_rng(0), "prepare": noisy, **changed}
    return Batches(IMAGES, LABELS, **options)


def passes(source: Batches, count: int = 1) -> list[tuple[bytes, bytes]]:
    return [(x.tobytes(), labels.tobytes()) for _ in range(count) for x, labels in source]


@pytest.mark.parametrize("workers", WORKERS)
def test_inputs_are_prepared_from_the_images_of_their_labels(workers: int) -> None:
    seen: list[int] = []
    for x, labels in batches(workers=workers):
        assert x.shape == (len(labels), 16)
        assert x.dtype == np.float32
        np.testing.assert_array_equal(np.floor(x), IMAGES[labels].reshape(-1, 16))
        seen += labels.tolist()
    assert sorted(seen) == list(range(COUNT))
    assert seen != sorted(seen)


@pytest.mark.parametrize("blocks", [None, Blocks(rows=8, mixed=3)])
@pytest.mark.parametrize("prepare", [None, noisy])
def test_the_number_of_workers_changes_no_bit(prepare: Any, blocks: Blocks | None) -> None:
    runs = [passes(batches(workers=workers, prepare=prepare, blocks=blocks), count=3) for workers in WORKERS]
    assert all(run == runs[0] for run in runs)


def test_batches_of_background_threads_keep_their_values() -> None:
    kept = list(batches(workers=2))  # all at once, where a buffer would hold the last one only
    assert [(x.tobytes(), labels.tobytes()) for x, labels in kept] == passes(batches(workers=0))


def test_batch_k_is_prepared_with_the_generator_of_the_passs_seed_and_k() -> None:
    rng = np.random.default_rng(0)
    order, seed = rng.permutation(COUNT), rng.integers(1 << 63)
    for k, (x, labels) in enumerate(batches(workers=2)):
        rows = order[k * 10 : k * 10 + 10]
        np.testing.assert_array_equal(labels, LABELS[rows])
        np.testing.assert_array_equal(x, noisy(IMAGES[rows], np.random.default_rng([seed, k])))


@pytest.mark.parametrize("changed", [{}, {"prepare": None}, {"workers": 2}, {"batch_size": 1000}])
def test_a_pass_draws_a_permutation_and_a_seed_at_its_start_and_nothing_else(changed: dict[str, Any]) -> None:
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    twin.permutation(COUNT)
    twin.integers(1 << 63)
    one_pass = iter(batches(rng=rng, **changed))
    next(one_pass)
    assert rng.bit_generator.state == twin.bit_generator.state
    list(one_pass)
    assert rng.bit_generator.state == twin.bit_generator.state


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("blocks", [None, Blocks(rows=8, mixed=3)])
def test_the_state_of_the_generator_after_a_pass_resumes_bit_for_bit(workers: int, blocks: Blocks | None) -> None:
    rng = np.random.default_rng(0)
    source = batches(rng=rng, workers=workers, blocks=blocks)
    passes(source)
    state = rng.bit_generator.state
    uninterrupted = passes(source, count=2)
    again = np.random.default_rng(99)
    again.bit_generator.state = state
    assert passes(batches(rng=again, workers=workers, blocks=blocks), count=2) == uninterrupted


def test_each_pass_prepares_in_another_way() -> None:
    source = batches(batch_size=COUNT)
    first, second = ((x[labels.argsort()] % 1).copy() for x, labels in (next(iter(source)) for _ in range(2)))
    assert np.mean(first == second) < 0.01


@pytest.mark.parametrize("workers", [0, 2])
def test_without_a_generator_order_and_preparation_are_the_same_in_every_pass(workers: int) -> None:
    source = batches(rng=None, workers=workers)
    assert passes(source) == passes(source)
    assert [label for _, labels in source for label in labels] == list(range(COUNT))


def test_the_images_themselves_are_not_changed() -> None:
    kept = IMAGES.copy()
    passes(batches(workers=2))
    np.testing.assert_array_equal(IMAGES, kept)


def test_no_thread_lives_between_passes() -> None:
    source = batches(workers=3)
    assert alive("ahead") == 0
    one_pass = iter(source)
    next(one_pass)
    assert alive("ahead") > 0
    list(one_pass)
    assert alive("ahead") == 0


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_a_loop_that_ends_early_leaves_no_thread(error: type[BaseException] | None) -> None:
    def consume() -> None:
        for number, _ in enumerate(batches(workers=3)):
            if number == 2 and error:
                raise error
            if number == 2:
                break
        assert alive("ahead") == 0

    if error:
        with pytest.raises(error):
            consume()
    else:
        consume()
    assert alive("ahead") == 0


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_preparation_is_raised_at_its_batch_and_shows_its_line(workers: int) -> None:
    def prepare_badly(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        if 42 in images[:, 0, 0]:
            raise ZeroDivisionError("pixel 42")
        return noisy(images, rng)

    images = IMAGES.copy()
    images[:, 0, 0] = 0
    images[25, 0, 0] = 42
    drawn = 0
    with pytest.raises(ZeroDivisionError, match="pixel 42") as caught:  # noqa: PT012
        for _ in Batches(images, LABELS, batch_size=10, prepare=prepare_badly, workers=workers):
            drawn += 1
    assert drawn == 2
    assert "prepare_badly" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"workers": -1}, "-1 workers, expected at least 0"),
        ({"blocks": Blocks(), "rng": None}, "blocks to shuffle, but no generator"),
    ],
)
def test_impossible_options_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        batches(**changed)


# from a memory map


@pytest.fixture
def mapped(tmp_path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    idx.write(tmp_path / "images", IMAGES)
    idx.write(tmp_path / "labels", LABELS)
    return memory_map(tmp_path / "images"), memory_map(tmp_path / "labels")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("options", [{}, {"blocks": Blocks(rows=8, mixed=3)}, {"rng": None}])
def test_a_map_gives_the_batches_that_memory_gives(
    mapped: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    options: dict[str, Any],
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.data.batches._RELEASED_AFTER", 20)  # every other batch, with others in the making
    rng = np.random.default_rng(0)
    streamed = Batches(*mapped, **{"batch_size": 10, "rng": rng, "prepare": noisy, "workers": workers, **options})
    assert passes(streamed, count=2) == passes(batches(**options), count=2)


def test_numpys_own_maps_give_plain_arrays(tmp_path: Path) -> None:
    idx.write(tmp_path / "images", IMAGES)
    images = np.memmap(tmp_path / "images", np.uint8, "r", 16, IMAGES.shape)
    for x, labels in Batches(images, LABELS, batch_size=10, rng=np.random.default_rng(0)):
        assert type(x) is np.ndarray
        np.testing.assert_array_equal(x, IMAGES[labels])


def test_a_map_is_normalized_as_memory_is(mapped: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    assert Normalizer.fit(mapped[0]) == Normalizer.fit(IMAGES)


def test_blocks_show_every_image_once_and_in_another_order_each_pass() -> None:
    source = batches(blocks=Blocks(rows=8, mixed=3), workers=2)
    orders = [tuple(label for _, labels in source for label in labels.tolist()) for _ in range(4)]
    assert len(set(orders)) == 4
    assert all(sorted(order) == list(range(COUNT)) for order in orders)
    assert [len(labels) for _, labels in source] == [10] * 10 + [3]
