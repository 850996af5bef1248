"""The judgment on a trial, as a table: no services, no clocks."""

import pytest

from core.artifact.trial import Limits
from service.trial.judging import judge
from service.trial.observed import Observed

LIMITS = Limits(ready_seconds=10, latency_factor=2, latency_allowance_ms=5, memory_factor=1.5, memory_allowance_mb=50)


def seen(version: int = 2, **changes: object) -> Observed:
    """A service that did everything right: a p99 of 10 ms and 100 MB."""
    return Observed(
        **(
            {"version": version, "ready_seconds": 1.0, "golden": 3, "fastest_ms": [10.0] * 100, "memory_mb": 100.0}
            | changes
        )
    )


CASES = {
    "like its champion": (seen(), set()),
    "ready at the last moment": (seen(ready_seconds=10.0), set()),
    "ready too late": (seen(ready_seconds=10.1), {"start"}),
    "refused": (seen(ready_seconds=None, trouble="the service does not serve it: unknown layer"), {"start"}),
    "other golden answers": (seen(golden_wrong="1 of 3 differ"), {"golden answers"}),
    "a picture without an answer": (seen(fastest_ms=[10.0] * 99), {"pictures"}),
    "ended after all answers": (seen(trouble="the service was ended by SIGKILL"), {"pictures"}),
    "no answer at all": (seen(fastest_ms=[], trouble="no answer"), {"pictures"}),
    "as slow as allowed": (seen(fastest_ms=[25.0] * 100), set()),
    "slower than allowed": (seen(fastest_ms=[25.1] * 100), {"latency"}),
    "one slow picture in a hundred": (seen(fastest_ms=[10.0] * 99 + [900.0]), set()),
    "two slow pictures in a hundred": (seen(fastest_ms=[10.0] * 98 + [900.0] * 2), {"latency"}),
    "as large as allowed": (seen(memory_mb=200.0), set()),
    "larger than allowed": (seen(memory_mb=200.1), {"memory"}),
    "of unknown size": (seen(memory_mb=None), set()),
    "everything at once": (
        seen(golden_wrong="3 of 3 differ", fastest_ms=[99.0] * 98, memory_mb=999.0),
        {"golden answers", "pictures", "latency", "memory"},
    ),
}


@pytest.mark.parametrize(("candidate", "failed"), CASES.values(), ids=CASES)
def test_a_version_fails_by_what_is_wrong_with_it_and_nothing_else(candidate, failed):
    checks = judge(candidate, seen(version=1), 100, LIMITS)
    assert {check.name for check in checks if not check.passed} == failed


def test_a_version_that_is_never_ready_is_judged_by_nothing_else():
    (check,) = judge(seen(ready_seconds=None, trouble="refused"), None, 100, LIMITS)
    assert check.words == "start: refused, expected ready within 10 s"


def test_a_reason_of_many_lines_and_escapes_fits_into_one_line_of_the_record():
    (check,) = judge(seen(ready_seconds=None, trouble="a\nb\x1b[2J" + "é" * 5000), None, 100, LIMITS)
    assert check.found.startswith("a b\\x1b[2J")
    assert len(check.found) < 2000


@pytest.mark.parametrize(
    "champion",
    [None, seen(version=1, fastest_ms=[], memory_mb=None)],
    ids=["no champion", "a champion without figures"],
)
def test_nothing_is_compared_without_figures_of_a_champion(champion):
    checks = judge(seen(fastest_ms=[9999.0] * 100, memory_mb=9999.0), champion, 100, LIMITS)
    assert [check.name for check in checks] == ["start", "golden answers", "pictures"]


def test_the_words_of_a_comparison_name_both_figures_and_the_limit():
    checks = judge(seen(fastest_ms=[30.0] * 100), seen(version=1), 100, LIMITS)
    slow = next(check for check in checks if check.name == "latency")
    assert slow.words == (
        "latency: p99 30.0 ms, beside 10.0 ms of version 1, expected at most 25.0 ms (2 times that, and 5 ms)"
    )
