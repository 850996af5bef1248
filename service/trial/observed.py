"""What was seen of a service on trial: when it was ready, whether its answers are right, and how long they took."""

from dataclasses import dataclass, field
from statistics import median

from core.artifact.trial import Measured

__all__ = ["Observed"]


@dataclass
class Observed:
    """One service and its answers.

    Attributes:
        version: The version that it served.
        ready_seconds: From its start until it could answer; None if it never could.
        trouble: Why it did not answer, or not any longer; "" if it always did.
        golden_wrong: What is wrong with its answers to the golden images; "" if nothing is.
        golden: How many golden images there are.
        fastest_ms: For each picture that it answered each time, the milliseconds of its fastest answer. What other
            programs do at the same time makes a call slower, never faster; so the fastest of several is what the
            version itself takes.
        memory_mb: The most resident memory of its process, in megabytes; None if unknown.
    """

    version: int
    ready_seconds: float | None = None
    trouble: str = ""
    golden_wrong: str = ""
    golden: int = 0
    fastest_ms: list[float] = field(default_factory=list)
    memory_mb: float | None = None

    @property
    def p99_ms(self) -> float | None:
        """The time that one picture in a hundred takes longer than; None if no picture was answered."""
        return sorted(self.fastest_ms)[(len(self.fastest_ms) * 99 - 1) // 100] if self.fastest_ms else None

    @property
    def measured(self) -> Measured:
        """Its figures."""
        p50 = median(self.fastest_ms) if self.fastest_ms else None
        return Measured(
            ready_seconds=_rounded(self.ready_seconds),
            answered=len(self.fastest_ms),
            p50_ms=_rounded(p50),
            p99_ms=_rounded(self.p99_ms),
            memory_mb=_rounded(self.memory_mb),
        )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 3)
