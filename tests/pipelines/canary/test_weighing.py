"""When a canary goes forward, is stopped, or waits: a pure decision on counts."""

import pytest

from pipelines.canary.metrics_page import Counts
from pipelines.canary.weighing import Weighed, weigh
from pipelines.sections import CanarySection

RULE = CanarySection()


def weighed(
    canary: Counts, champion: Counts, minutes: float = 60.0, *, both_refuse: bool = True, **rule: float
) -> Weighed:
    return weigh(canary, champion, minutes, CanarySection(**rule), 0.95, both_refuse=both_refuse)


@pytest.mark.parametrize(
    ("situation", "canary", "champion", "outcome"),
    [
        ("nothing goes wrong with either", {"computed": 1500}, {"computed": 13_500}, "forward"),
        ("fewer pictures than asked for", {"computed": 999}, {"computed": 13_500}, "wait"),
        ("the champion has answered nothing", {"computed": 1500}, {}, "wait"),
        ("both reject alike", {"computed": 3000, "refused": 150}, {"computed": 27_000, "refused": 1350}, "forward"),
        ("both reject alike, of few", {"computed": 1000, "refused": 90}, {"computed": 1000, "refused": 90}, "wait"),
        ("it rejects less", {"computed": 2000, "refused": 20}, {"computed": 18_000, "refused": 1800}, "forward"),
        ("it rejects far more", {"computed": 300, "refused": 90}, {"computed": 2700, "refused": 54}, "stop"),
        ("it finds no digit far more often", {"computed": 210, "unread": 90}, {"computed": 2700}, "stop"),
        ("every image fails", {"failed": 20}, {"computed": 180}, "stop"),
        ("its numbers are not finite", {"computed": 20, "not_finite": 20}, {"computed": 180}, "stop"),
        ("one of two fails: too few to tell", {"computed": 1, "failed": 1}, {"computed": 18}, "wait"),
    ],
)
def test_what_becomes_of_a_canary(
    situation: str, canary: dict[str, int], champion: dict[str, int], outcome: str
) -> None:
    assert weighed(Counts(**canary), Counts(**champion)).outcome == outcome, situation


def test_a_canary_that_does_worse_is_stopped_before_its_pictures_and_minutes_are_over() -> None:
    found = weighed(Counts(failed=20), Counts(computed=180), minutes=0.5)
    assert found.outcome == "stop"
    assert found.words.startswith("it does worse than the champion: failures 20 of 20, beside 0 of 180")


def test_minutes_are_waited_for_whatever_the_pictures_say() -> None:
    found = weighed(Counts(computed=5000), Counts(computed=45_000), minutes=59.9)
    assert found.outcome == "wait"
    assert found.words == "59 of 60 minutes have passed"


def test_a_rise_that_is_certain_and_allowed_stops_nothing() -> None:
    canary, champion = Counts(computed=100_000, refused=4000), Counts(computed=900_000, refused=27_000)
    found = weighed(canary, champion)
    assert found.outcome == "forward"
    assert next(each for each in found.mishaps if each.name == "rejections").low > 0


def test_what_only_one_version_can_refuse_counts_for_neither() -> None:
    canary, champion = Counts(computed=1500, refused=1500), Counts(computed=13_500)
    assert weighed(canary, champion, both_refuse=False).outcome == "forward"
    assert weighed(canary, champion, both_refuse=True).outcome == "stop"


@pytest.mark.parametrize(("disagreed", "outcome"), [(50, "forward"), (300, "wait"), (900, "stop")])
def test_as_a_shadow_it_may_read_so_many_pictures_otherwise(disagreed: int, outcome: str) -> None:
    found = weighed(Counts(computed=1500, shadowed=1500, disagreed=disagreed), Counts(computed=13_500))
    assert found.outcome == outcome
    assert [each.name for each in found.mishaps] == ["failures", "rejections", "disagreements as a shadow"]


def test_the_reason_to_wait_says_what_is_missing() -> None:
    found = weighed(Counts(computed=300), Counts(computed=2700), minutes=20)
    assert found.words == "it has answered 300 of 1,000 pictures, and 20 of 60 minutes have passed"
    found = weighed(Counts(computed=1000, refused=90), Counts(computed=1000, refused=90))
    assert found.words.startswith(
        "more pictures are needed to tell about rejections 90 of 1,000, beside 90 of 1,000 (a rise between "
    )
    assert "failures" not in found.words, "of these, there are enough"


def test_rejections_that_are_shown_before_their_images_are_no_more_than_all() -> None:
    found = weighed(Counts(computed=10, refused=12), Counts(computed=90))
    assert found.mishaps[1].canary == (10, 10)


def test_longest_minutes_below_minutes_are_refused() -> None:
    with pytest.raises(Exception, match="longest_minutes = 5, expected at least minutes = 60"):
        CanarySection(longest_minutes=5)
