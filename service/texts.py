"""What clients send as text: how much of it an error repeats, and which of it names a version.

A client chooses its texts, so their length is the client's choice too. An error that repeated one whole could grow
beyond what gRPC sends as the message of a status, and Python refuses to turn thousands of digits into a number. How
long the texts of a request may be is checked in `service.api.text_limits`.
"""

import re

__all__ = ["quoted", "shortened", "version_number"]

LONGEST_QUOTE = 40
"""Characters of a text that an error repeats."""

LONGEST_SENTENCE = 1000
"""Bytes of an error in UTF-8. gRPC may send each as three, and clients may refuse more than 8 kB in all."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def quoted(text: str) -> str:
    """A text in quotes, escaped, for a message: at most its first 40 characters, and its length if it has more."""
    if len(text) <= LONGEST_QUOTE:
        return repr(text)
    return f"{text[:LONGEST_QUOTE]!r}… ({len(text):,} characters)"


def shortened(sentence: str) -> str:
    """A sentence that can be sent as the message of a status: its first 1,000 bytes if it is longer."""
    if len(sentence) * 4 <= LONGEST_SENTENCE or len(sentence.encode()) <= LONGEST_SENTENCE:
        return sentence
    return sentence.encode()[:LONGEST_SENTENCE].decode(errors="ignore") + "…"


def version_number(text: str) -> int | None:
    """The number of a version in its one spelling; None for anything else, such as "01", "４" or a million digits."""
    return int(text) if _NUMBER.fullmatch(text) else None
