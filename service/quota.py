"""How many pictures a token may send."""

from contextvars import ContextVar
from dataclasses import dataclass, field

from service.bucket import TokenBucket

__all__ = ["Quota", "quota"]


@dataclass(frozen=True)
class Quota:
    """The quota of one token, in one process.

    Attributes:
        role: The role of the token, as metrics name it: `predict` or `admin`.
        rate: Pictures per second, on average.
        burst: Pictures at once.
        pictures: Counts them; it starts full.
    """

    role: str
    rate: float
    burst: float
    pictures: TokenBucket = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pictures", TokenBucket(self.rate, self.burst))


quota: ContextVar[Quota | None] = ContextVar("quota", default=None)
"""The quota of the token of the current call; None if it has none."""
