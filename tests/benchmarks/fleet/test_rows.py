"""The benchmark of a fleet: real services and followers, few of them, on a real bucket and in a folder."""

import pytest

from benchmarks.fleet.rows import Plan, measure
from core.artifact.repository import Repository
from core.errors import ConfigError
from tests.service.tiny_model import publish

ANSWERED = ["calls answered", "calls lost", "answers by an earlier version than before"]


def waited(what: str) -> list[str]:
    until = f"from a promotion until the last {what}"
    return [f"{until}, median of 2", f"{until}, at most"]


@pytest.fixture
def models(tmp_path) -> str:
    repository = Repository(str(tmp_path / "models"), writable=True)
    publish(repository, seed=1, documents={"card.md": b"a card"})
    return repository.url


@pytest.mark.parametrize(("storage", "counted"), [("bucket", ["listings"]), ("folder", [])])
def test_replicas_and_followers_serve_each_promotion_and_lose_no_call(models, storage, counted):
    results = measure(Plan(replicas=[2], followers=[3], swaps=2, poll=0.2, repository=models), storage)
    alone = f"simulated: 3 followers alone, {storage}: "
    assert [result.case for result in results] == [
        *(f"2 replicas, {storage}: {what}" for what in [*counted, *waited("serves it"), *ANSWERED]),
        *(alone + what for what in [*counted, *waited("knows it"), *waited("has loaded it")]),
    ]
    figures = {result.case.rpartition(": ")[2]: result for result in results}
    assert figures["calls answered"].ours > 0
    assert figures["calls lost"].ours == figures["answers by an earlier version than before"].ours == 0
    for result in results:
        if result.unit == "listings/s":  # one for each look: more cannot come, however fast the machine is
            assert 0 < result.ours < 2 * result.theirs


def test_a_pattern_that_matches_no_storage_is_an_error_that_lists_them(models):
    with pytest.raises(ConfigError, match="--case tape: matches none of bucket, folder"):
        measure(Plan([1], [], 1, None, models), "tape")
