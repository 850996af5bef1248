"""Records of trials that never took place."""

from datetime import UTC, datetime

from core.artifact.trial import Check, Measured, Trial

NOTHING = Measured(ready_seconds=None, answered=0, p50_ms=None, p99_ms=None, memory_mb=None)


def failed_trial(version: int) -> Trial:
    """The record of a version that a service refused."""
    return Trial(
        version=version,
        weights_sha256=None,
        beside=None,
        at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        pictures=0,
        checks=(Check(name="start", found="refused", wanted="ready within 60 s", passed=False),),
        candidate=NOTHING,
    )


def passed_trial(version: int) -> Trial:
    """The record of a version that a service could start."""
    check = Check(name="start", found="ready after 1.5 s", wanted="ready within 60 s", passed=True)
    return failed_trial(version).model_copy(update={"checks": (check,)})
