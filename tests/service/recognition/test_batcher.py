"""What is computed in one batch, and what is not computed at all."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from core.inference.answers import Answers
from service.call import client, expires
from service.errors import ExpiredError
from service.recognition.arrivals import Arrivals
from service.recognition.batcher import CONCURRENT_CALLS, GATHERED, LARGEST, Batcher

ONE = np.zeros((1, 28, 28), np.uint8)
SEVEN, EIGHT = SimpleNamespace(version="7"), SimpleNamespace(version="8")


class Bench:
    """A batcher, and the batches that it computed: the answer to an image is its first pixel, as its digitness."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, int]] = []
        self.dropped: list[tuple[str, int]] = []
        self.arrivals = Arrivals(["/Call"])
        self.batcher = Batcher(self._compute, lambda *what: self.dropped.append(what), self.arrivals.expected)

    def _compute(self, loaded, images):
        self.batches.append((loaded.version, len(images)))
        if loaded is EIGHT and images.any():
            raise ValueError("eight dislikes ink")
        ink = images[:, 0, 0].astype(np.float32)
        return Answers(np.ones((len(images), 10), np.float32), ink, ink > 2)

    async def ask(self, loaded=SEVEN, images=ONE):
        return await self.batcher.answers(loaded, images)

    async def call(self, accepted: asyncio.Event, message: asyncio.Event, loaded=SEVEN, images=ONE):
        """A call as gRPC makes it: accepted, then its message read, then answered."""
        await accepted.wait()
        self.arrivals.accept("/Call")
        await asyncio.sleep(0)
        await message.wait()
        self.arrivals.begin()
        if self.batcher.concurrent():
            return await self.batcher.gathered(loaded, images)
        return self._compute(loaded, images)


def test_calls_of_one_turn_are_one_batch_and_each_gets_its_own_rows():
    async def scene(bench):
        pictures = [np.full((n, 28, 28), n, np.uint8) for n in (1, 3, 2)]
        return await asyncio.gather(*(bench.ask(images=p) for p in pictures))

    answers = asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 6)]
    assert [a.digitness.tolist() for a in answers] == [[1], [3, 3, 3], [2, 2]]
    assert [a.rejected.tolist() for a in answers] == [[False], [True, True, True], [False, False]]
    assert [a.probabilities.shape for a in answers] == [(1, 10), (3, 10), (2, 10)]


def now() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def one_after_another(bench: Bench, count: int) -> None:
    for _ in range(count):
        await bench.call(now(), now())


def test_a_call_that_arrives_alone_is_computed_at_once():
    async def scene(bench):
        for n in range(1, 51):
            call = asyncio.create_task(bench.call(now(), now()))
            for _ in range(2):  # it is accepted, and its message is read
                await asyncio.sleep(0)
            assert call.done(), "it does not wait, not even for a turn of the event loop"
            assert bench.batches == [("7", 1)] * n

    asyncio.run(scene(Bench()))


def test_a_batch_waits_for_calls_that_are_arriving():
    async def scene(bench):
        second = asyncio.Event()
        calls = [asyncio.create_task(bench.call(now(), message)) for message in (now(), second)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert bench.batches == []
        second.set()
        await asyncio.gather(*calls)

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 2)]


def test_under_concurrency_a_call_waits_until_arriving_calls_are_known():
    async def scene(bench):
        await asyncio.gather(*(bench.call(now(), now()) for _ in range(2)))
        third = asyncio.Event()
        calls = [asyncio.create_task(bench.call(accepted, now())) for accepted in (now(), third)]
        for _ in range(4):
            await asyncio.sleep(0)
        third.set()
        await asyncio.gather(*calls)

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 2), ("7", 2)]


def test_concurrency_is_no_longer_assumed_after_some_calls_that_arrive_alone():
    async def scene(bench):
        await asyncio.gather(*(bench.call(now(), now()) for _ in range(2)))
        await one_after_another(bench, CONCURRENT_CALLS)
        assert not bench.batcher.concurrent()

    asyncio.run(scene(Bench()))


def test_a_batch_of_the_gathered_size_waits_for_no_further_calls():
    async def scene(bench):
        await asyncio.gather(*(bench.call(now(), now()) for _ in range(2 * GATHERED + 3)))

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", GATHERED), ("7", GATHERED), ("7", 3)]


@pytest.mark.parametrize("never", [asyncio.Event, None], ids=["slow", "cancelled"])
def test_a_call_whose_message_never_arrives_is_not_waited_for_forever(never):
    async def scene(bench):
        late = asyncio.create_task(bench.call(now(), asyncio.Event()))
        first = asyncio.create_task(bench.call(now(), now()))
        await asyncio.sleep(0)
        if never is None:
            late.cancel()
        await asyncio.wait_for(first, timeout=60)
        await asyncio.wait_for(bench.call(now(), now()), timeout=60)
        late.cancel()

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 1), ("7", 1)]


def test_versions_are_never_mixed():
    async def scene(bench):
        await asyncio.gather(*(bench.ask(loaded) for loaded in (SEVEN, EIGHT, SEVEN)))

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 2), ("8", 1)]


def test_a_large_batch_is_computed_in_pieces_and_returned_in_order():
    images = np.arange(2 * LARGEST + 5, dtype=np.uint16).astype(np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    answer = asyncio.run((bench := Bench()).ask(images=images))
    assert bench.batches == [("7", LARGEST), ("7", LARGEST), ("7", 5)]
    assert answer.digitness.tolist() == images[:, 0, 0].tolist()


def test_a_cancelled_call_is_not_computed():
    async def scene(bench):
        gone = asyncio.create_task(bench.ask())
        stays = asyncio.create_task(bench.ask())
        await asyncio.sleep(0)  # both wait now
        gone.cancel()
        await stays

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == [("7", 1)]
    assert bench.dropped == [("cancelled", 1)]


def test_an_expired_call_is_not_computed():
    async def scene(bench):
        expires.set(0.0)
        with pytest.raises(ExpiredError):
            await bench.ask()

    asyncio.run(scene(bench := Bench()))
    assert bench.batches == []
    assert bench.dropped == [("expired", 1)]


def test_a_failure_is_raised_only_in_the_calls_of_its_batch():
    async def scene(bench):
        ink = np.ones((1, 28, 28), np.uint8)
        return await asyncio.gather(bench.ask(EIGHT, ink), bench.ask(SEVEN, ink), return_exceptions=True)

    failure, answer = asyncio.run(scene(Bench()))
    assert isinstance(failure, ValueError)
    assert answer.digitness.tolist() == [1.0]


# fairness


def test_a_large_batch_lets_others_in_between_its_pieces():
    async def scene(bench):
        client.set("large")
        large = asyncio.create_task(bench.ask(images=np.zeros((4 * LARGEST, 28, 28), np.uint8)))
        await asyncio.sleep(0)  # its pieces are waiting
        client.set("small")
        small = asyncio.create_task(bench.ask())
        await small
        assert not large.done()
        await large

    asyncio.run(scene(bench := Bench()))
    assert [count for _, count in bench.batches] == [LARGEST, 1, *[LARGEST] * 3]


def test_clients_whose_images_do_not_fit_into_one_batch_take_turns():
    async def scene(bench):
        calls = []
        for whose, loaded, count in (("one", SEVEN, 4), ("another", EIGHT, 2)):
            client.set(whose)
            images = np.zeros((count * LARGEST, 28, 28), np.uint8)
            calls.append(asyncio.create_task(bench.ask(loaded, images)))
        await asyncio.gather(*calls)

    asyncio.run(scene(bench := Bench()))
    assert [version for version, _ in bench.batches] == ["7", "8", "7", "8", "7", "7"]
