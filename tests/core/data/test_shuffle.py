import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.shuffle import Blocks
from core.errors import DatasetError


def one_pass(blocks: Blocks, count: int, size: int = 10, seed: int = 0) -> list[int]:
    order = blocks.order(count, np.random.default_rng(seed))
    return [int(row) for rows in blocks.batches(count, order, seed, size) for row in rows]


@settings(deadline=None, max_examples=200)
@given(count=st.integers(1, 300), rows=st.integers(1, 40), mixed=st.integers(1, 12), size=st.integers(1, 70))
def test_every_row_comes_once_and_all_batches_are_full_except_the_last(
    count: int, rows: int, mixed: int, size: int
) -> None:
    blocks = Blocks(rows, mixed)
    order = blocks.order(count, np.random.default_rng(0))
    batches = list(blocks.batches(count, order, 0, size))
    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert len(batches) == -(-count // size)


def test_a_stretch_holds_whole_blocks_from_everywhere() -> None:
    order = one_pass(Blocks(rows=50, mixed=4), 10_000)
    for start in range(0, 10_000, 200):
        stretch = np.array(order[start : start + 200])
        touched, counts = np.unique(stretch // 50, return_counts=True)
        assert counts.tolist() == [50] * 4
        assert touched[-1] - touched[0] > 4
    assert np.corrcoef(order, np.arange(10_000))[0, 1] < 0.2  # no trend from the file's begin to its end


def test_the_blocks_of_a_stretch_are_mixed_row_by_row() -> None:
    order = np.array(one_pass(Blocks(rows=50, mixed=4), 200))
    followed_by_its_neighbor = np.count_nonzero(np.diff(order) == 1)
    assert followed_by_its_neighbor < 10
    same_block = np.count_nonzero(order[1:] // 50 == order[:-1] // 50)
    assert 25 < same_block < 75  # a quarter of 199, by chance


def test_stretches_are_mixed_each_in_its_own_way() -> None:
    order = np.array(one_pass(Blocks(rows=100, mixed=1), 1000)).reshape(10, 100) % 100
    assert len({tuple(stretch) for stretch in order.tolist()}) == 10


def test_one_seed_gives_one_order_and_another_seed_another() -> None:
    first, same, other = (one_pass(Blocks(8, 4), 300, seed=seed) for seed in (0, 0, 1))
    assert first == same
    assert first != other


def test_blocks_of_one_row_are_the_plain_shuffle() -> None:
    assert one_pass(Blocks(rows=1, mixed=300), 300) == np.random.default_rng(0).permutation(300).tolist()


def test_the_defaults_mix_fifty_megabytes_of_mnist() -> None:
    assert 45e6 < Blocks().rows * Blocks().mixed * 784 < 55e6


@pytest.mark.parametrize(("rows", "mixed"), [(0, 1), (1, 0), (-1, 5)])
def test_no_blocks_at_all_are_refused(rows: int, mixed: int) -> None:
    with pytest.raises(DatasetError, match=f"{mixed} blocks of {rows} rows to mix, expected at least 1 of 1"):
        Blocks(rows, mixed)
