"""Which calls are admitted, and what is said to those that are not."""

from time import monotonic

import pytest

from service.bucket import TokenBucket
from service.call import client, expires
from service.errors import OverloadedError
from service.quota import Quota, quota
from service.recognition.admission import Admission
from service.recognition.fair import Forecast
from tests.floats import by_hand


class Busy:
    """Workers that forecast what the test says."""

    longest_wait = 5.0

    def __init__(self, forecast: Forecast | None) -> None:
        self._forecast = forecast

    def forecast(self, expected):
        assert list(expected) == [0.3]
        return self._forecast


@pytest.fixture
def calling():
    """Set whose call the test makes; afterwards it is nobody's, without deadline and quota."""
    tokens = [(variable, variable.set(variable.get())) for variable in (client, expires, quota)]
    yield client.set
    for variable, token in tokens:
        variable.reset(token)


def test_a_full_room_refuses_a_call_and_tells_when_to_try_again(calling):
    told: list[tuple[str, str]] = []
    admission = Admission(most_pictures=4, most_bytes=1000, refused=lambda *what: told.append(what))
    with admission(3, 10):
        calling("another")
        with admission(1, 10), pytest.raises(OverloadedError, match="4 pictures are waiting already") as caught:
            admission(1, 10)
    assert caught.value.retry_after > 0
    with admission(1, 600), pytest.raises(OverloadedError, match="600 bytes are waiting already"):
        admission(1, 600)
    assert (admission.pictures, admission.bytes) == (0, 0)
    assert told == [("queue", ""), ("queue", "")]


def test_a_client_is_refused_what_is_kept_for_others_and_they_get_it(calling):
    told: list[tuple[str, str]] = []
    admission = Admission(most_pictures=10, most_bytes=1000, refused=lambda *what: told.append(what))
    with admission(8, 10):
        with pytest.raises(OverloadedError, match="most of the pictures that may wait are yours already"):
            admission(1, 10)
        calling("another")
        with admission(2, 10):
            assert admission.pictures == 10
    assert told == [("share", "")]


def test_one_call_may_exceed_the_limit_if_nothing_is_waiting():
    with Admission(most_pictures=4, most_bytes=1000)(100, 10_000) as admitted:
        assert admitted is None


@pytest.mark.parametrize(
    ("forecast", "left", "reason"),
    [
        (None, 0.01, ""),  # a thread is free: it is begun at once, whatever the estimate says
        (Forecast(4.9, 9.0, 0.0), 60.0, ""),
        (Forecast(5.1, 5.4, 0.0), 60.0, "queue"),
        (Forecast(11.1, 11.4, 6.0), 60.0, "queue"),  # it would wait too long for others alone
        (Forecast(11.1, 11.4, 7.0), 60.0, "share"),
        (Forecast(1.0, 1.3, 1.0), 1.2, "deadline"),
        (Forecast(1.0, 1.3, 1.0), float("inf"), ""),
    ],
)
def test_a_call_is_refused_at_once_if_it_cannot_be_done_in_time(calling, forecast, left, reason):
    told: list[tuple[str, str]] = []
    admission = Admission(workers=Busy(forecast), refused=lambda *what: told.append(what))
    expires.set(monotonic() + left)
    if reason:
        with pytest.raises(OverloadedError, match="too busy.*: .* try again in"):
            admission(1, 10, [0.3])
    else:
        with admission(1, 10, [0.3]):
            pass
    assert told == [(reason, "")] * bool(reason)


def test_the_refusal_says_when_the_queue_will_be_short_enough(calling):
    admission = Admission(workers=Busy(Forecast(12.0, 13.0, 0.0)))
    with pytest.raises(OverloadedError, match=r"about 12\.0 s until this is begun, at most 5 s") as caught:
        admission(1, 10, [0.3])
    assert 7 <= caught.value.retry_after <= 19, "at least until it is, and spread out over the time that it takes"


def test_a_token_over_its_quota_is_refused_and_counted_by_its_role(calling):
    told: list[tuple[str, str]] = []
    admission = Admission(refused=lambda *what: told.append(what))
    quota.set(limit := Quota("predict", 0.001, 3.0))
    with admission(2, 10):
        admission.check(1, 10)
    with pytest.raises(OverloadedError, match="your token is over its quota of pictures; try again in") as caught:
        admission(1, 10)
    assert caught.value.retry_after > 900
    assert told == [("quota", "predict")]
    assert limit.rate == by_hand(0.001)


def test_a_call_that_is_refused_for_another_reason_is_not_taken_off_the_quota(calling):
    admission = Admission(workers=Busy(Forecast(9.0, 9.0, 0.0)))
    quota.set(Quota("predict", 0.001, 1.0))
    with pytest.raises(OverloadedError, match="too busy"):
        admission(1, 10, [0.3])
    admission.check(1, 10)
    assert isinstance(quota.get().pictures, TokenBucket)
