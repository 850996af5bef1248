"""The kinds of values that a stored document holds, each with its range: what is out of range is damaged, or forged."""

import base64
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

__all__ = [
    "Base64Bytes",
    "Count",
    "Digest",
    "FileName",
    "Fraction",
    "Interval",
    "Line",
    "Moment",
    "Name",
    "Options",
    "Part",
    "Text",
    "VersionNumber",
    "contain",
    "require_ascending",
    "require_whole",
]

_DEEPEST = 16
"""Levels of nested JSON. A recipe has five."""

_ROUNDING = 1e-6
"""By how much a value may lie outside its interval: both were computed in float64."""

_MISSING = 1e-3
"""By how much a sum of shares may miss 1: probabilities are computed in float32."""


class Part(BaseModel):
    """Frozen. Fields that a newer Numeral has added within the same schema version are ignored.

    NaN and infinity are refused, because JSON has no numbers for them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A sha256, in hexadecimal."""

Count = Annotated[int, Field(ge=0, le=2**40)]
"""A number of things."""

VersionNumber = Annotated[int, Field(ge=1, le=999_999_999)]
"""The number of a version: at most nine digits, as everywhere where one is read."""

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share or a probability."""

Line = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A sentence: no line break, no control character."""

Name = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name, likewise."""

Text = Annotated[str, Field(max_length=10_000)]
"""What a user wrote, on any number of lines."""

FileName = Annotated[str, Field(max_length=255, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
"""The name of a file within the folder of its version."""


def _possible(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 2200:  # 1970 is what a machine takes for the present that has no clock
        raise ValueError(f"the year {moment.year}, expected 1970 to 2199")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_possible)]
"""A date and time with its zone."""


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    low, high = interval
    if low > high:
        raise ValueError(f"from {low:g} to {high:g}: the lower end must come first")
    return interval


Interval = Annotated[tuple[Fraction, Fraction], AfterValidator(_ordered)]
"""The interval in which a share lies, (low, high)."""


def _decoded(value: Any) -> Any:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Base64Bytes = Annotated[
    bytes, BeforeValidator(_decoded), PlainSerializer(lambda v: base64.b64encode(v).decode(), when_used="json")
]
"""Bytes, which JSON holds as Base64."""


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what would not be read back as it was written."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} levels deep")
        if isinstance(item, float) and not isfinite(item):
            raise ValueError("holds a number that is not a finite number")
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list | tuple) else ()
        waiting += [(each, depth + 1) for each in inner]
    return value


Options = Annotated[dict[str, Any], AfterValidator(_plain)]
"""A JSON object whose fields only its reader knows, such as a recipe."""


def contain(interval: tuple[float, float], value: float) -> None:
    """Check that an interval contains what it was computed for.

    Raises:
        ValueError: It does not.
    """
    low, high = interval
    if not low - _ROUNDING <= value <= high + _ROUNDING:
        raise ValueError(f"{value:g} lies outside its interval, {low:g} to {high:g}")


def require_whole(shares: Sequence[float]) -> None:
    """Check that shares are those of a whole.

    Raises:
        ValueError: They do not sum to 1.
    """
    if abs(sum(shares) - 1) > _MISSING:
        raise ValueError(f"shares that sum to {sum(shares):g}, expected 1")


def require_ascending(numbers: Sequence[float]) -> None:
    """Check that each number is greater than the one before.

    Raises:
        ValueError: One is not.
    """
    if any(a >= b for a, b in pairwise(numbers)):
        raise ValueError("numbers that do not ascend")
