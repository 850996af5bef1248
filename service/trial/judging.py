"""Whether a version stood its trial: a pure judgment on what was seen. See the table in the tests."""

from core.artifact.trial import Check, Limits
from core.terminal import printable
from service.texts import shortened
from service.trial.observed import Observed

__all__ = ["judge", "latency"]


def judge(candidate: Observed, champion: Observed | None, pictures: int, limits: Limits) -> tuple[Check, ...]:
    """Judge a version.

    Args:
        candidate: What was seen of the service with the version.
        champion: What was seen of the one beside it; None if there was none, or it was never ready.
        pictures: How many pictures were to be read.
        limits: What to keep within.

    Returns:
        The checks, in order. A version that was never ready has one; without a version beside it, or without the
        figures of one of the two, nothing is compared.
    """
    checks = [_ready(candidate, limits)]
    if not checks[0].passed:
        return tuple(checks)
    checks += [_golden(candidate), _answered(candidate, pictures)]
    if compared := latency(candidate, champion, limits):
        checks.append(compared)
    if champion and candidate.memory_mb is not None and champion.memory_mb is not None:
        checks.append(_memory(candidate.memory_mb, champion.memory_mb, champion.version, limits))
    return tuple(checks)


def latency(candidate: Observed, champion: Observed | None, limits: Limits) -> Check | None:
    """Whether slow calls take at most as long as they may; None if there is nothing to compare."""
    if champion is None or candidate.p99_ms is None or champion.p99_ms is None:
        return None
    most = limits.latency_factor * champion.p99_ms + limits.latency_allowance_ms
    return Check(
        name="latency",
        found=f"p99 {candidate.p99_ms:.1f} ms, beside {champion.p99_ms:.1f} ms of version {champion.version}",
        wanted=f"at most {most:.1f} ms ({limits.latency_factor:g} times that, and {limits.latency_allowance_ms:g} ms)",
        passed=candidate.p99_ms <= most,
    )


def _ready(candidate: Observed, limits: Limits) -> Check:
    seconds = candidate.ready_seconds
    found = _line(candidate.trouble) or "not ready in time" if seconds is None else f"ready after {seconds:.1f} s"
    passed = seconds is not None and seconds <= limits.ready_seconds
    return Check(name="start", found=found, wanted=f"ready within {limits.ready_seconds:g} s", passed=passed)


def _golden(candidate: Observed) -> Check:
    wanted = f"all {candidate.golden} as at the training"
    found = _line(candidate.golden_wrong) or wanted
    return Check(name="golden answers", found=found, wanted=wanted, passed=not candidate.golden_wrong)


def _answered(candidate: Observed, pictures: int) -> Check:
    answered = len(candidate.fastest_ms)
    found = f"{answered} of {pictures} answered"
    if candidate.trouble:
        found = f"{found}; {_line(candidate.trouble)}"
    passed = answered == pictures and not candidate.trouble
    return Check(name="pictures", found=found, wanted=f"all {pictures} answered", passed=passed)


def _memory(candidate: float, champion: float, version: int, limits: Limits) -> Check:
    most = limits.memory_factor * champion + limits.memory_allowance_mb
    return Check(
        name="memory",
        found=f"{candidate:.0f} MB, beside {champion:.0f} MB of version {version}",
        wanted=f"at most {most:.0f} MB ({limits.memory_factor:g} times that, and {limits.memory_allowance_mb:g} MB)",
        passed=candidate <= most,
    )


def _line(reason: str) -> str:
    """A reason that a process gave, in any number of lines and of any length, as a record can hold it."""
    return shortened(printable(" ".join(reason.split())))
