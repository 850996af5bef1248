"""The arguments of calls, checked before anything is sent: what is wrong with one is an `ArgumentError`."""

import math
import operator
from collections.abc import AsyncIterable, Iterable
from typing import Any

from service.client.failures import ArgumentError
from service.texts import quoted
from service.wire import Reading

__all__ = [
    "LONGEST_TIMEOUT",
    "digit_of",
    "flag",
    "number_within",
    "reply_id_of",
    "seconds",
    "several",
    "text_of",
    "version_text",
]

LONGEST_TIMEOUT = 365 * 24 * 3600
"""Seconds. gRPC counts with more, but wraps around at some point."""


def seconds(timeout: object) -> float:
    """A timeout in seconds.

    Raises:
        ArgumentError: It is no number above 0, or above a year.
    """
    # Compared in this way, NaN is refused too.
    if isinstance(timeout, int | float) and not isinstance(timeout, bool) and 0 < timeout <= LONGEST_TIMEOUT:
        return timeout
    if isinstance(timeout, float) and math.isinf(timeout) and timeout > 0:
        raise ArgumentError(f"timeout is inf, expected seconds; for no limit in practice, pass {LONGEST_TIMEOUT}")
    raise ArgumentError(f"timeout is {_shown(timeout)}, expected a number of seconds above 0, at most a year")


def version_text(version: object) -> str:
    """A version or an alias as the server expects it: a number may be written as an int.

    Raises:
        ArgumentError: It is neither text nor an int.
    """
    if isinstance(version, str):
        try:
            version.encode()
        except UnicodeEncodeError:
            raise ArgumentError(f"the version is {quoted(version)}, which is no valid Unicode text") from None
        return version
    if isinstance(version, int) and not isinstance(version, bool) and 0 < version < 10**9:
        return str(version)
    raise ArgumentError(f'the version is {_shown(version)}, expected text such as "3" or "champion", or a number')


def digit_of(digit: object) -> int:
    """A digit.

    Raises:
        ArgumentError: It is none.
    """
    try:
        number = operator.index(digit)  # type: ignore[arg-type]  # any object may be passed
    except TypeError:
        number = -1
    if isinstance(digit, bool) or not 0 <= number <= 9:
        raise ArgumentError(f"the digit is {_shown(digit)}, expected 0 to 9 as an int")
    return number


def flag(value: object, name: str) -> bool:
    """True or False.

    Raises:
        ArgumentError: It is neither.
    """
    if isinstance(value, bool):
        return value
    raise ArgumentError(f"{name} is {_shown(value)}, expected True or False")


def number_within(value: object, name: str, low: int, high: int) -> int:
    """A whole number.

    Args:
        value: What was passed.
        name: The name of the argument.
        low: The smallest that is possible.
        high: The largest.

    Raises:
        ArgumentError: It is none, or not between these.
    """
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise ArgumentError(f"{name} is {_shown(value)}, expected {low:,} to {high:,} as an int")


def text_of(value: object, name: str) -> str:
    """A text that can be sent.

    Raises:
        ArgumentError: It is none, or no valid Unicode.
    """
    if not isinstance(value, str):
        raise ArgumentError(f"{name} is {_shown(value)}, expected text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"{name} is {quoted(value)}, which is no valid Unicode text") from None
    return value


def reply_id_of(about: object) -> str:
    """The id of the answer that feedback is about; "" for none.

    Raises:
        ArgumentError: It is no answer.
    """
    if about is None:
        return ""
    if isinstance(about, Reading):
        return about.reply_id
    raise ArgumentError(f"about is {_shown(about)}, expected the Reading that `recognize` returned, or None")


def several(pictures: Any, *, asynchronous: bool = False) -> Any:
    """An iterable of pictures, as it was passed.

    Args:
        pictures: What was passed.
        asynchronous: Whether an asynchronous iterable is one too.

    Raises:
        ArgumentError: It is one picture, or no iterable.
    """
    if asynchronous and isinstance(pictures, AsyncIterable):
        return pictures
    one = isinstance(pictures, str | bytes | bytearray | memoryview) or hasattr(pictures, "read")
    if one or getattr(pictures, "ndim", 3) < 3 or not isinstance(pictures, Iterable):
        raise ArgumentError(
            f"pictures is {type(pictures).__name__}, expected an iterable of pictures; for one picture, pass [picture]"
        )
    return pictures


def _shown(value: object) -> str:
    """A wrong argument in a message: its value where that is short, and else its class."""
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int) and abs(value) < 10**20:
        return repr(value)
    return f"of the class {type(value).__name__}"
