"""What a bucket of tokens lets through, by a clock that the test sets."""

from types import SimpleNamespace

import pytest

from service.bucket import TokenBucket
from tests.floats import by_hand


@pytest.fixture
def clock():
    """`clock.now` is the time; `clock()` reads it."""
    return type("Clock", (SimpleNamespace,), {"__call__": lambda self: self.now})(now=100.0)


def test_a_bucket_gives_its_tokens_and_then_the_time_to_the_next(clock):
    bucket = TokenBucket(rate=0.5, capacity=3, clock=clock)
    assert [bucket.take() for _ in range(3)] == [0.0] * 3
    assert bucket.take() == by_hand(2.0)
    clock.now += 1.5
    assert bucket.take() == by_hand(0.5)
    clock.now += 0.5
    assert bucket.take() == 0.0


def test_a_bucket_never_holds_more_than_its_capacity(clock):
    bucket = TokenBucket(rate=1, capacity=3, clock=clock)
    clock.now += 1000
    assert [bool(bucket.take()) for _ in range(4)] == [False, False, False, True]


def test_a_full_bucket_lets_a_larger_batch_pass_and_is_owed_the_rest(clock):
    bucket = TokenBucket(rate=2, capacity=4, clock=clock)
    assert bucket.take(10) == 0.0
    assert bucket.take() == by_hand(3.5)
    clock.now += 3.5
    assert bucket.take() == 0.0
    assert bucket.take(10) == by_hand(2.0)
