"""Work that hangs is left behind in time, and given up no more often than there are threads for it."""

import threading

import pytest

from core.errors import RepositoryError
from service.errors import StorageHungError
from service.versions.patience import MOST_HANGING, Patience
from tests.patience import eventually

SOON = 0.05
"""Seconds for work that hangs, which no machine is too slow for."""

AMPLE = 60.0
"""Seconds for work that ends, on the busiest machine."""


@pytest.fixture
def gate():
    """Work waits for it: it is opened at the end, at the latest."""
    event = threading.Event()
    yield event
    event.set()


def test_work_that_ends_gives_what_it_returns_or_raises():
    patience = Patience()
    assert patience.run("a sum", lambda: 1 + 1, AMPLE) == 2
    with pytest.raises(ZeroDivisionError):
        patience.run("a quotient", lambda: 1 // 0, AMPLE)
    assert patience.hanging == 0


def test_work_that_hangs_is_left_behind_until_it_ends(gate):
    patience = Patience()
    with pytest.raises(StorageHungError, match=r"a read: no answer within 0.05 s; check the disk") as hung:
        patience.run("a read", gate.wait, SOON)
    assert patience.hanging == 1
    assert not hung.value.ended()
    assert patience.run("another read", lambda: "found", AMPLE) == "found"
    gate.set()
    eventually(hung.value.ended)
    assert patience.hanging == 0


def test_while_work_hangs_it_is_not_begun_again_unless_it_works_on_something_else(gate):
    patience = Patience()
    for _ in range(5):
        with pytest.raises(StorageHungError, match="no answer"):
            patience.run("a read", gate.wait, SOON, stamp="before")
    assert patience.hanging == 1
    assert patience.run("a read", lambda: "found", AMPLE, stamp="after") == "found"


def test_the_pieces_of_work_that_are_left_behind_are_bounded(gate):
    patience = Patience()
    for number in range(MOST_HANGING):
        with pytest.raises(StorageHungError):
            patience.run(f"read {number}", gate.wait, SOON)
    with pytest.raises(RepositoryError, match=r"one more: not read, as 8 reads hang already, the first of read 0"):
        patience.run("one more", lambda: "found", AMPLE)
    gate.set()
    eventually(lambda: patience.hanging == 0)
    assert patience.run("one more", lambda: "found", AMPLE) == "found"
