"""Restarts under load: nothing is lost."""

from benchmarks import restarts


def test_two_restarts_under_load_lose_no_call_of_any_client_that_retries():
    results = restarts.measure(times=2, callers=4, workers=2, seconds=0.3)
    answered = [result.ours for result in results if result.case.startswith("calls answered")]
    assert len(answered) == 2
    assert all(answered)
    lost = {result.case: result.ours for result in results if not result.case.startswith("calls answered")}
    assert not any(lost.values()), lost
